// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings
import Testing

@testable import IngestCore

@Suite struct ProfileFetchesTests {
    private typealias Key = ProfileFetches.Key
    private typealias Action = ProfileFetches.Action

    private let second: UInt64 = 1_000_000_000
    private let mebibyte = 1 << 20
    private let window = Int(FetchCredit.windowBytes)
    private let first = Key(generation: 3, number: 17)
    private let next = Key(generation: 3, number: 18)
    private let command = FetchCommand(
        agent: AgentID(high: 1, low: 2), profileID: "p", type: "heap", filepath: "/tmp/p/heap.pprof")

    private func key(_ number: UInt64) -> Key { Key(generation: 3, number: number) }
    private func sent(_ key: Key) -> Action { .send(key, requestID: ProfileFetches.requestID(key), command) }

    private func chunk(
        _ fetches: inout ProfileFetches, _ key: Key, _ byteCount: Int, last: Bool = false, error: String = "",
        at now: UInt64 = 0
    ) -> [Action] {
        fetches.chunk(
            requestID: ProfileFetches.requestID(key), byteCount: byteCount, isLast: last, error: error,
            nowNanoseconds: now)
    }

    @Test func profileFetches_passChunksWithTheirOffsets() {
        var fetches = ProfileFetches()
        #expect(!fetches.isServing)
        #expect(fetches.fetch(first, command, nowNanoseconds: 0) == [.send(first, requestID: "f-3-17", command)])
        #expect(fetches.isServing)
        #expect(chunk(&fetches, first, 100) == [.forward(first, offset: 0)])
        #expect(chunk(&fetches, first, 0) == [])
        #expect(chunk(&fetches, first, 50) == [.forward(first, offset: 100)])
        #expect(
            chunk(&fetches, first, 7, last: true)
                == [.forward(first, offset: 150), .end(first, FetchEnding(.complete))])
        #expect(!fetches.isServing)
        #expect(chunk(&fetches, first, 1) == [.unasked])
    }

    @Test func profileFetches_completeAnEmptyProfile() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        #expect(chunk(&fetches, first, 0, last: true) == [.end(first, FetchEnding(.complete))])
    }

    @Test(arguments: [true, false]) func profileFetches_endWithTheAgentsErrorMessage(isLast: Bool) {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        #expect(
            chunk(&fetches, first, 5, last: isLast, error: "no such file")
                == [.end(first, FetchEnding(.agentError, message: "no such file")), sent(next)])
    }

    @Test func profileFetches_truncateALongErrorMessage() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        let text = String(repeating: "e", count: 5000)
        #expect(
            chunk(&fetches, first, 0, last: true, error: text)
                == [.end(first, FetchEnding(.agentError, message: String(text.prefix(1000))))])
    }

    @Test func profileFetches_runOneAtATimeInOrderWithABoundedQueue() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(key(0), command, nowNanoseconds: 0)
        for number in 1...16 { #expect(fetches.fetch(key(UInt64(number)), command, nowNanoseconds: 0) == []) }
        #expect(fetches.waitingCount == 16)
        guard case .end(key(17), let ending)? = fetches.fetch(key(17), command, nowNanoseconds: 0).first else {
            Issue.record("not refused")
            return
        }
        #expect(ending.cause == .busy && ending.message.contains("16"))
        // The same once more is nothing new.
        #expect(fetches.fetch(key(0), command, nowNanoseconds: 0) == [])
        #expect(fetches.fetch(key(5), command, nowNanoseconds: 0) == [])
        for number in 0..<16 {
            let actions = chunk(&fetches, key(UInt64(number)), 0, last: true)
            #expect(
                actions == [.end(key(UInt64(number)), FetchEnding(.complete)), sent(key(UInt64(number + 1)))])
        }
        #expect(chunk(&fetches, key(16), 0, last: true) == [.end(key(16), FetchEnding(.complete))])
        #expect(!fetches.isServing)
    }

    @Test func profileFetches_readACancelledProfileToItsEndBeforeTheNext() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        #expect(chunk(&fetches, first, mebibyte) == [.forward(first, offset: 0)])
        #expect(fetches.drop(first) == [])
        #expect(fetches.isServing)
        for _ in 0..<100 { #expect(chunk(&fetches, first, mebibyte) == []) }
        #expect(chunk(&fetches, first, mebibyte, last: true) == [sent(next)])
        #expect(chunk(&fetches, next, 1) == [.forward(next, offset: 0)])
    }

    @Test func profileFetches_cancelAQueuedFetchAtOnce() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        #expect(fetches.drop(next) == [])
        #expect(fetches.drop(key(99)) == [])
        #expect(chunk(&fetches, first, 0, last: true) == [.end(first, FetchEnding(.complete))])
        #expect(!fetches.isServing)
    }

    @Test func profileFetches_cancelFetchesOfALostExporter() {
        var fetches = ProfileFetches()
        let successor = Key(generation: 4, number: 1)
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        _ = fetches.fetch(successor, command, nowNanoseconds: 0)
        #expect(fetches.exporterGone(generation: 2) == [])
        #expect(fetches.exporterGone(generation: 3) == [])
        #expect(fetches.waitingCount == 1 && fetches.isServing)
        #expect(chunk(&fetches, first, mebibyte) == [])
        #expect(chunk(&fetches, first, 0, last: true) == [sent(successor)])
    }

    @Test func profileFetches_timeOutASilentAgentAndIgnoreItsLateChunks() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        #expect(fetches.tick(nowNanoseconds: 30 * second - 1) == [])
        _ = chunk(&fetches, first, 1, at: 20 * second)
        #expect(fetches.tick(nowNanoseconds: 50 * second - 1) == [])
        let actions = fetches.tick(nowNanoseconds: 50 * second)
        guard case .end(first, let ending)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(ending.cause == .silent)
        #expect(Array(actions.dropFirst()) == [sent(next)])
        // The agent was only slow: the next waits as long as the rest of the first comes.
        for now in stride(from: 60 * second, to: 200 * second, by: Int(20 * second)) {
            #expect(chunk(&fetches, first, mebibyte, at: now) == [.unasked])
            #expect(fetches.tick(nowNanoseconds: now + 19 * second) == [])
        }
        #expect(chunk(&fetches, next, 4, at: 201 * second) == [.forward(next, offset: 0)])
    }

    @Test func profileFetches_timeOutACancelledFetchWithoutAnError() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        _ = fetches.drop(first)
        #expect(fetches.tick(nowNanoseconds: 30 * second) == [sent(next)])
    }

    @Test func profileFetches_holdTheStreamWithoutCredit() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        for index in 0..<4 {
            #expect(chunk(&fetches, first, window / 4) == [.forward(first, offset: UInt64(index * (window / 4)))])
        }
        #expect(chunk(&fetches, first, 1) == [.forward(first, offset: UInt64(window)), .hold(true)])
        // Chunks that were in the stream's window come nevertheless.
        #expect(chunk(&fetches, first, 10) == [.forward(first, offset: UInt64(window + 1))])
        #expect(fetches.credited(key(99), takenBytes: 1 << 30) == [])
        #expect(fetches.credited(first, takenBytes: 10) == [])
        #expect(fetches.credited(first, takenBytes: 11) == [.hold(false)])
        #expect(fetches.credited(first, takenBytes: 5) == [])
        #expect(chunk(&fetches, first, 1) == [.forward(first, offset: UInt64(window + 11)), .hold(true)])
        // More than was ever sent is no more than all.
        #expect(fetches.credited(first, takenBytes: .max) == [.hold(false)])
        #expect(chunk(&fetches, first, window).contains(.hold(true)) == false)
        #expect(chunk(&fetches, first, 1).contains(.hold(true)))
        #expect(
            chunk(&fetches, first, 0, last: true) == [.end(first, FetchEnding(.complete)), .hold(false)])
    }

    @Test func profileFetches_holdTheStreamForFiveSecondsAtMost() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        #expect(chunk(&fetches, first, 5 * mebibyte, at: second).contains(.hold(true)))
        #expect(fetches.credited(first, takenBytes: 10) == [])
        #expect(fetches.tick(nowNanoseconds: 6 * second - 1) == [])
        let actions = fetches.tick(nowNanoseconds: 6 * second)
        guard case .end(first, let ending)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(ending.cause == .notTaken)
        #expect(Array(actions.dropFirst()) == [.hold(false)])
        // It goes on being read, and is never held again.
        #expect(chunk(&fetches, first, 50 * mebibyte, at: 7 * second) == [])
        #expect(fetches.credited(first, takenBytes: 10) == [])
        #expect(fetches.tick(nowNanoseconds: 36 * second) == [])
        #expect(chunk(&fetches, first, 0, last: true, at: 36 * second) == [sent(next)])
    }

    @Test func profileFetches_releaseTheStreamOnCancel() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = chunk(&fetches, first, 5 * mebibyte)
        #expect(fetches.drop(first) == [.hold(false)])
        #expect(fetches.drop(first) == [])
        _ = chunk(&fetches, first, 0, last: true)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        _ = chunk(&fetches, next, 5 * mebibyte)
        #expect(fetches.exporterGone(generation: 3) == [.hold(false)])
    }

    @Test func profileFetches_endWithTheirStream() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        _ = chunk(&fetches, first, 5 * mebibyte)
        let actions = fetches.streamClosed()
        #expect(actions.count == 3 && actions.last == .hold(false))
        for (action, key) in zip(actions, [first, next]) {
            guard case .end(key, let ending) = action else {
                Issue.record("\(actions)")
                continue
            }
            #expect(ending.cause == .agentGone)
        }
        #expect(!fetches.isServing && fetches.waitingCount == 0)
        #expect(fetches.streamClosed() == [])
    }

    @Test func profileFetches_endWithAnErrorOnDrain() {
        var fetches = ProfileFetches()
        _ = fetches.fetch(first, command, nowNanoseconds: 0)
        _ = fetches.fetch(next, command, nowNanoseconds: 0)
        _ = fetches.drop(first)
        let actions = fetches.drain()
        guard case .end(next, let ending)? = actions.first, actions.count == 1 else {
            Issue.record("\(actions)")
            return
        }
        #expect(ending.cause == .draining)
    }
}
