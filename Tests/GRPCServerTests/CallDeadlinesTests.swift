// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import GRPCServer

@Suite struct CallDeadlinesTests {
    /// Seeded: entries come out in their order, those that were taken out do not come, and nothing stays.
    @Test(arguments: 0..<10) func callDeadlines_comeInOrderWhateverWasTakenOut(seed: Int) {
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

    @Test func server_endsCallsAtTheirDeadlinesByOneTimer() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            // Longest first: each next one is earlier than the timer that is set.
            let ids = try await harness.onLoop { _ in
                try ["99999999H", "60S", "300m", "200m", "100m", "0n"].map {
                    try client.open("/t.T/Sink", ["grpc-timeout": $0])
                }
            }
            try await harness.eventually("four are over") { _ in client.events.closed.count == 4 }
            let over = try await harness.onLoop { _ in ids.filter { client.events.closed[$0] != nil } }
            #expect(over == Array(ids.suffix(4)))
            #expect(try await harness.onLoop { $0.server.statistics.refused(.deadlineExceeded) } == 4)
        }
    }
}
