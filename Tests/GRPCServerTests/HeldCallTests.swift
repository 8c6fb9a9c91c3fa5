// SPDX-License-Identifier: Apache-2.0
import HTTP2
import Testing

@testable import GRPCServer

/// Calls whose senders are made to wait by the service.
@Suite struct HeldCallTests {
    /// More than every window and buffer on the way.
    private static let message = [UInt8](repeating: 7, count: 60_000)

    @Test func heldCall_stopsItsSenderAfterTheWindowAndNoOther() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            let held = try await harness.onLoop { _ in try client.open("/t.T/Sink") }
            try await harness.eventually("call") { $0.service.calls.count == 1 }
            try await harness.onLoop { harness in
                harness.service.calls[0].isHeld = true
                for _ in 0..<100 { client.send(GRPCHarness.frame(Self.message), on: held) }
            }
            try await harness.eventually("first message") { $0.service.received.count >= 1 }
            // Another stream of the same connection takes more than the connection's window, there and back.
            let other = [UInt8](repeating: 8, count: 50_000)
            for _ in 0..<20 {
                let result = try await harness.call(messages: [other], by: client)
                #expect(result.messages == [other])
            }
            // The window of a stream is 64 KiB: the second message is not through.
            #expect(try await harness.onLoop { $0.service.received.filter { $0.count == 60_000 }.count } == 1)
            try await harness.onLoop { $0.service.calls[0].isHeld = false }
            try await harness.eventually("the rest") {
                $0.service.received.filter { $0.count == 60_000 }.count == 100
            }
            #expect(try await harness.onLoop { $0.service.received.filter { $0 == Self.message }.count } == 100)
        }
    }

    @Test func heldCall_losesNoCreditWhenHeldRepeatedly() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            let id = try await harness.onLoop { _ in
                let id = try client.open("/t.T/Sink")
                // Larger than a window, so that windows are raised while it comes in.
                for _ in 0..<10 { client.send(GRPCHarness.frame([UInt8](repeating: 3, count: 400_000)), on: id) }
                return id
            }
            try await harness.eventually("call") { $0.service.calls.count == 1 }
            for _ in 0..<50 {
                try await harness.onLoop { $0.service.calls[0].isHeld = true }
                try await harness.onLoop { $0.service.calls[0].isHeld = false }
            }
            try await harness.eventually("all") { $0.service.received.count == 10 }
            try await harness.onLoop { _ in client.send([], on: id, isEnd: true) }
            try await harness.eventually("end") { _ in client.events.closed[id] != nil }
            #expect(try await harness.onLoop { $0.server.statistics.assemblyBytes } == 0)
        }
    }

    /// The oldest unfinished message belongs to a held call: with the budget used up the others still come through.
    @Test func heldCall_doesNotBlockOthersAtTheAssemblyBudget() async throws {
        let configuration = configured {
            $0.maxMessageBytes = 1 << 20
            $0.assemblyBudgetBytes = 2 << 20
        }
        try await GRPCHarness.run(configuration) { harness in
            let client = try await harness.connect()
            let message = [UInt8](repeating: 1, count: 1 << 20)
            let half = Array(GRPCHarness.frame(message).prefix(900_000))
            let held = try await harness.onLoop { _ in
                try client.open("/t.T/Sink", framed: Array(half.prefix(300_000)))
            }
            try await harness.eventually("begun") { $0.server.statistics.assemblyBytes >= 300_000 }
            try await harness.onLoop { harness in
                harness.service.calls[0].isHeld = true
                client.send(Array(half.dropFirst(300_000)), on: held)
            }
            let other = try await harness.connect()
            let ids = try await harness.onLoop { _ in
                try (0..<6).map { _ in try other.open("/t.T/Sink", framed: GRPCHarness.frame(message), isEnd: true) }
            }
            try await harness.eventually("the others") { _ in ids.allSatisfy { other.events.closed[$0] != nil } }
            let results = try await harness.onLoop { _ in ids.map { CallResult(other.events, $0).status } }
            #expect(results == [Int?](repeating: 0, count: 6))
            try await harness.onLoop { harness in
                harness.service.calls[0].isHeld = false
                client.send(Array(GRPCHarness.frame(message).dropFirst(half.count)), on: held, isEnd: true)
            }
            try await harness.eventually("the held one") { _ in client.events.closed[held] != nil }
            #expect(try await harness.onLoop { _ in CallResult(client.events, held).status } == 0)
            #expect(try await harness.onLoop { $0.server.statistics.assemblyBytes } == 0)
        }
    }

    @Test func heldCall_thatEndsLeavesNothingBehind() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            let id = try await harness.onLoop { _ in
                try client.open("/t.T/Sink", framed: Array(GRPCHarness.frame(Self.message).prefix(50_000)))
            }
            try await harness.eventually("begun") { $0.server.statistics.assemblyBytes >= 50_000 }
            try await harness.onLoop { harness in
                harness.service.calls[0].isHeld = true
                harness.service.calls[0].finish(.ok)
                harness.service.calls[0].isHeld = false
            }
            try await harness.eventually("end") { _ in client.events.closed[id] != nil }
            try await harness.onLoop { harness in
                harness.service.calls[0].isHeld = true
                harness.service.calls[0].isHeld = false
            }
            let echoed = try await harness.call(messages: [[1]], by: client)
            #expect(echoed.messages == [[1]])
            #expect(try await harness.onLoop { $0.server.statistics.assemblyBytes } == 0)
        }
    }
}
