// SPDX-License-Identifier: Apache-2.0
import HTTP2
import NIOCore
import TestSupport
import Testing

@testable import GRPCServer

/// The small types, each alone.
@Suite struct SmallRulesTests {
    @Test func grpcTimeout_needsDigitsAndAUnit() {
        #expect(GRPCTimeout.nanoseconds("1n") == 1)
        #expect(GRPCTimeout.nanoseconds("2u") == 2000)
        #expect(GRPCTimeout.nanoseconds("3m") == 3_000_000)
        #expect(GRPCTimeout.nanoseconds("4S") == 4_000_000_000)
        #expect(GRPCTimeout.nanoseconds("5M") == 300_000_000_000)
        #expect(GRPCTimeout.nanoseconds("6H") == 21_600_000_000_000)
        #expect(GRPCTimeout.nanoseconds("0S") == 0)
        #expect(GRPCTimeout.nanoseconds("99999999H") == .max)
        for bad in ["", "S", "1", "123456789S", "-1S", "1s", "1.5S", " 1S", "1S ", "١S"] {
            #expect(GRPCTimeout.nanoseconds(bad) == nil, "\(bad)")
        }
    }

    @Test func grpcStatus_encodesAndTruncatesBetweenCharacters() {
        #expect(StatusMessage.encode("plain ~") == "plain ~")
        #expect(StatusMessage.encode("a%b\u{7F}\r\nü") == "a%25b%7F%0D%0A%C3%BC")
        let long = StatusMessage.encode(String(repeating: "ü", count: 1000))
        #expect(long.utf8.count <= StatusMessage.maxBytes && long.utf8.count > StatusMessage.maxBytes - 6)
        #expect(long.utf8.count % 6 == 0)
    }

    @Test func rateLimit_refills() {
        var limit = RateLimit(burst: 10, perSecond: 2)
        let second: UInt64 = 1_000_000_000
        let steps: [(count: Int, at: UInt64, isAllowed: Bool)] = [
            (10, 5, true), (1, 5, false), (3, second + 5, false), (2, 2 * second + 5, true), (10, 1000 * second, true),
            (1, 0, false),
        ]
        for step in steps {
            let isAllowed = limit.take(step.count, nowNanoseconds: step.at)
            #expect(isAllowed == step.isAllowed, "\(step)")
        }
    }

    @Test func stallFreeClock_standsStillWhileNothingIsRead() {
        let second: UInt64 = 1_000_000_000
        var clock = StallFreeClock(monotonicNanoseconds: 100 * second)
        let start = clock.nowNanoseconds
        clock.advance(to: 100 * second + second / 4)
        #expect(clock.nowNanoseconds - start == second / 4)
        clock.pause(at: 100 * second + second / 2)
        clock.advance(to: 200 * second)
        #expect(clock.nowNanoseconds - start == second / 2)
        clock.resume(at: 300 * second)
        clock.advance(to: 300 * second + second / 2)
        #expect(clock.nowNanoseconds - start == second)
        clock.advance(to: 400 * second)
        #expect(clock.nowNanoseconds - start == 2 * second)
        clock.advance(to: 399 * second)
        #expect(clock.nowNanoseconds - start == 2 * second)
    }

    @Test func keepalive_pingsOnceAndThenGivesUp() {
        var keepalive = Keepalive(idleNanoseconds: 30, timeoutNanoseconds: 20, nowNanoseconds: 100)
        expect(&keepalive, at: 129, .none)
        expect(&keepalive, at: 130, .ping)
        expect(&keepalive, at: 149, .none)
        expect(&keepalive, at: 150, .dead)
        keepalive.received(nowNanoseconds: 151)
        expect(&keepalive, at: 180, .none)
        expect(&keepalive, at: 181, .ping)
        keepalive.received(nowNanoseconds: 200)
        expect(&keepalive, at: 201, .none)
    }

    /// It was heard a moment after the tick had looked at its clock.
    @Test func keepalive_acceptsATimeBeforeTheLast() {
        var keepalive = Keepalive(idleNanoseconds: 30, timeoutNanoseconds: 20, nowNanoseconds: 100)
        expect(&keepalive, at: 99, .none)
        expect(&keepalive, at: 130, .ping)
        expect(&keepalive, at: 129, .none)
        expect(&keepalive, at: 150, .dead)
    }

    private func expect(_ keepalive: inout Keepalive, at now: UInt64, _ action: Keepalive.Action) {
        let taken = keepalive.check(nowNanoseconds: now)
        #expect(taken == action, "at \(now)")
    }

    /// Seeded: messages of random lengths, cut at random places, come out as they went in.
    @Test(arguments: 0..<20) func messageAssembler_reassemblesMessagesSplitAnywhere(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let messages = (0..<30).map { _ in
            (0..<Int.random(in: 0...(Bool.random(using: &random) ? 8 : 70_000), using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
        }
        let bytes = messages.flatMap(GRPCHarness.frame)
        let pool = BufferPool()
        var assembler = MessageAssembler(maxMessageBytes: 70_000)
        var out: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let count = min(
                bytes.count - start, Int.random(in: 1...(Bool.random(using: &random) ? 7 : 40_000), using: &random))
            let chunk = ByteBuffer(bytes: bytes[start..<(start + count)])
            start += count
            var offset = 0
            let span = chunk.readableBytesSpan
            cutting: while true {
                switch assembler.next(in: span, at: &offset, pool: pool) {
                case .inPlace(let range): out.append(span.extracting(range).withUnsafeBytes { Array($0) })
                case .assembled(let message):
                    out.append(message.readableBytesSpan.withUnsafeBytes { Array($0) })
                    pool.give(message)
                case .needsMore: break cutting
                case .failed(let status, _):
                    Issue.record("seed \(seed): \(status)")
                    return
                }
            }
            #expect(offset == count)
        }
        #expect(out == messages, "seed \(seed)")
        #expect(!assembler.isInMessage)
    }

    @Test func messageAssembler_reservesNoMemoryForAClaimedLength() {
        var assembler = MessageAssembler(maxMessageBytes: 32 << 20)
        let chunk = ByteBuffer(bytes: [0, 1, 255, 255, 255, 42])
        var offset = 0
        guard case .needsMore = assembler.next(in: chunk.readableBytesSpan, at: &offset, pool: BufferPool()) else {
            Issue.record("not waiting for more")
            return
        }
        #expect(assembler.expectedBytes == 0x1ff_ffff)
        #expect(assembler.reservedBytes <= BufferPool.firstBytes)
    }
}
