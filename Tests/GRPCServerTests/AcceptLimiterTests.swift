// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Testing

/// The gate over a real socket; what it decides is in `AcceptBackoffTests`.
@Suite struct AcceptLimiterTests {
    @Test func acceptLimiter_acceptsConnectionsThatNoOtherWorkerTakes() async throws {
        try await GRPCHarness.run { harness in
            try await harness.onLoop {
                $0.server.share = { AcceptShare(isAboveShare: true, othersConnections: 3) }
            }
            for number in 0..<8 {
                let result = try await harness.call(messages: [[UInt8(number)]])
                #expect(result.messages == [[UInt8(number)]])
            }
        }
    }

    @Test func acceptLimiter_acceptsNothingWhileReadingIsPaused() async throws {
        try await GRPCHarness.run { harness in
            for isAbove in [false, true] {
                let before = try await harness.onLoop { harness in
                    harness.server.share = { AcceptShare(isAboveShare: isAbove, othersConnections: 3) }
                    harness.server.pauseReading()
                    return harness.server.statistics.connectionsAccepted
                }
                for _ in 0..<4 { _ = try await harness.connect() }
                #expect(try await harness.onLoop { $0.server.statistics.connectionsAccepted } == before)
                try await harness.onLoop { $0.server.resumeReading() }
                try await harness.eventually("all are accepted") {
                    $0.server.statistics.connectionsAccepted == before + 4
                }
            }
        }
    }

    @Test func acceptLimiter_reportsEachChangeOfTheConnectionCount() async throws {
        try await GRPCHarness.run { harness in
            let told = Told()
            try await harness.onLoop { $0.server.onConnectionCount = { told.counts.append($0) } }
            for number in 0..<3 { _ = try await harness.call(messages: [[UInt8(number)]]) }
            try await harness.onLoop { $0.server.closeAll() }
            #expect(try await harness.onLoop { _ in told.counts } == [1, 2, 3, 2, 1, 0])
        }
    }

    /// Touched on the event loop alone.
    private final class Told: @unchecked Sendable {
        var counts: [Int] = []
    }
}
