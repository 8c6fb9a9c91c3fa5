// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import NIOCore
import TestSupport
import Testing

@testable import GRPCServer
@testable import HTTP2

@Suite struct CallDeadlinesTests {
    /// Seeded: entries come out in their order, those that were taken out do not come, and nothing stays.
    @Test(arguments: 0..<10) func callDeadlines_comeInOrderAfterAnyRemoval(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
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

    @Test func grpcServer_endsCallsAtTheirDeadlinesByOneTimer() throws {
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

    @Test func grpcServer_keepsTheClientsDeadline() throws {
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
