// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import NIOCore
import Testing

@testable import GRPCServer
@testable import HTTP2

@Suite struct CallDeadlinesTests {
    /// Seeded: entries come out in their order, those that were taken out do not come, and nothing stays.
    @Test(arguments: 0..<10) func callDeadlines_comeInOrderWhateverWasTakenOut(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var deadlines = CallDeadlines()
        var entries = (0..<1000).map { _ in
            CallDeadlines.Entry(atNanoseconds: UInt64.random(in: 0...500, using: &random), call: nil)
        }
        for entry in entries { deadlines.insert(entry) }
        for _ in 0..<400 {
            let entry = entries.remove(at: Int.random(in: entries.indices, using: &random))
            deadlines.remove(entry)
            deadlines.remove(entry)
        }
        #expect(deadlines.count == 600)
        #expect(deadlines.earliestNanoseconds == entries.map(\.atNanoseconds).min())
        var times: [UInt64] = []
        while let due = deadlines.popDue(nowNanoseconds: 250) { times.append(due.atNanoseconds) }
        #expect(times == entries.map(\.atNanoseconds).filter { $0 <= 250 }.sorted(), "seed \(seed)")
        while let due = deadlines.popDue(nowNanoseconds: .max) { times.append(due.atNanoseconds) }
        #expect(times == entries.map(\.atNanoseconds).sorted() && deadlines.count == 0)
    }

    @Test func server_endsCallsAtTheirDeadlinesByOneTimer() throws {
        let harness = EmbeddedGRPC()
        let client = try harness.connect()
        // Longest first: each next one is earlier than the timer that is set.
        let ids = try ["99999999H", "60S", "300m", "200m", "100m", "0n"].map {
            try harness.open("/t.T/Sink", by: client, ["grpc-timeout": $0])
        }
        func over() -> [Int32] { ids.filter { client.events.closed[$0] != nil } }
        #expect(over() == [ids[5]])
        harness.pass(.milliseconds(99))
        #expect(over() == [ids[5]])
        harness.pass(.milliseconds(1))
        #expect(over() == [ids[4], ids[5]])
        harness.pass(.milliseconds(200))
        #expect(over() == Array(ids[2...]))
        harness.pass(.seconds(60))
        #expect(over() == Array(ids[1...]))
        #expect(over().allSatisfy { CallResult(client.events, $0).status == 4 })
        #expect(harness.server.statistics.refused(.deadlineExceeded) == 5)
    }

    @Test func server_keepsTheDeadlineOfTheClient() throws {
        let harness = EmbeddedGRPC()
        let client = try harness.connect()
        func call(_ timeout: String, isEnd: Bool) throws -> Int32 {
            try harness.open("/t.T/Echo", by: client, ["grpc-timeout": timeout], isEnd: isEnd)
        }
        let short = try call("20m", isEnd: false)
        let bad = try call("20x", isEnd: true)
        let long = try call("99999999H", isEnd: true)
        #expect(CallResult(client.events, short).status == nil)
        harness.pass(.milliseconds(20))
        #expect([short, bad, long].map { CallResult(client.events, $0).status } == [4, 13, 0])
        #expect(harness.service.ends == [.finished(.ok), .deadlineExceeded])
    }
}

@Suite struct FrameScannerTests {
    private func frame(_ type: UInt8, _ payload: Int) -> [UInt8] {
        [UInt8(payload >> 16 & 255), UInt8(payload >> 8 & 255), UInt8(payload & 255), type, 0, 0, 0, 0, 1]
            + [UInt8](repeating: 0xff, count: payload)
    }

    @Test(arguments: [1, 2, 5, 9, 10, 300, 100_000]) func frameScanner_countsFramesHoweverTheyAreCut(piece: Int) {
        let bytes = [UInt8](repeating: 7, count: 24) + [0, 1, 5, 0, 70_000, 0, 300].flatMap { frame(0xee, $0) }
        var scanner = FrameScanner(prefaceBytes: 24)
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + piece)
            scanner.scan(ByteBuffer(bytes: bytes[start..<end]).readableBytesSpan)
            start = end
        }
        #expect(scanner.frameCount == 7)
        scanner.scan(ByteBuffer(bytes: frame(0, 10).dropLast()).readableBytesSpan)
        #expect(scanner.frameCount == 7)
    }

    @Test func session_countsFramesThatCarryNothing() throws {
        let pair = try SessionPair()
        let stream = try #require(pair.client.open(SessionPair.request, isEnd: false, delegate: pair.clientEvents))
        pair.client.send(ByteBuffer(bytes: [1, 2, 3]), on: stream)
        try pair.exchange()
        let before = pair.server.counters.controlFrames
        // DATA with padding and nothing else, DATA with a byte besides, an unknown frame, one of an extension.
        var frames: [UInt8] = [0, 0, 4, 0, 8, 0, 0, 0, 1, 3, 0, 0, 0]
        frames += [0, 0, 3, 0, 8, 0, 0, 0, 1, 1, 42, 0]
        frames += frame(0xee, 8) + frame(0x0a, 0)
        try pair.server.receive(ByteBuffer(bytes: frames).readableBytesSpan)
        #expect(pair.server.counters.controlFrames - before == 3)
        #expect(pair.serverEvents.data[stream.id] == [1, 2, 3, 42])
    }

    @Test func session_callsContinuationsWithoutEndAFlood() throws {
        let pair = try SessionPair()
        try pair.exchange()
        var frames: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 0, 1]
        for _ in 0..<20 { frames += [0, 0, 0, 9, 0, 0, 0, 0, 1] }
        #expect(throws: HTTP2SessionError.flooded) {
            try pair.server.receive(ByteBuffer(bytes: frames).readableBytesSpan)
        }
    }
}
