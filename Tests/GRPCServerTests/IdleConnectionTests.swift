// SPDX-License-Identifier: Apache-2.0
import HTTP2
import Testing

@testable import GRPCServer

/// Connections and calls of peers that nobody knows: what is kept of them, and for how long.
@Suite struct IdleConnectionTests {
    private static let impatient = configured { $0.idleTimeout = .milliseconds(500) }

    private func closed(_ harness: GRPCHarness, _ count: Int) async throws {
        try await harness.eventually("closed as idle") { $0.server.statistics.connectionsClosed(.idle) == count }
    }

    @Test func whoCallsNothingIsClosedAndWhoIsKnownIsNot() async throws {
        try await GRPCHarness.run(Self.impatient) { harness in
            let known = try await harness.connect()
            _ = try await harness.onLoop { _ in try known.open("/t.T/Sink") }
            try await harness.eventually("call") { $0.service.calls.count == 1 }
            for number in 1...2 {
                let client = try await harness.connect()
                try await closed(harness, number)
                try await harness.eventually("the end") { _ in !client.isConnected }
            }
            let isKept = try await harness.onLoop { _ in known.isConnected }
            #expect(isKept)
            #expect(try await harness.onLoop { $0.server.connectionCount } == 1)
        }
    }

    @Test func callsOfStrangersKeepNoConnection() async throws {
        try await GRPCHarness.run(Self.impatient) { harness in
            let (stranger, made) = (try await harness.connect(), try await harness.connect())
            _ = try await harness.onLoop { _ in try stranger.open("/t.T/Stranger") }
            _ = try await harness.onLoop { _ in try made.open("/t.T/Stranger") }
            _ = try await harness.onLoop { _ in try stranger.open("/t.T/Unknown") }
            try await harness.eventually("calls") { $0.service.calls.count == 2 }
            // One of them is known from now on.
            let isFirst = try await harness.onLoop { harness in
                let call = harness.service.calls[1]
                call.keepsConnection = true
                return call.connection.id == harness.service.calls[0].connection.id
            }
            #expect(!isFirst)
            try await closed(harness, 1)
            #expect(try await harness.onLoop { $0.service.ends } == [.connectionClosed(.idle)])
            #expect(try await harness.onLoop { $0.server.connectionCount } == 1)
            // …until its call is over.
            try await harness.onLoop { $0.service.calls[1].finish(.ok) }
            try await closed(harness, 2)
        }
    }

    @Test func withoutDescriptorsThoseGoThatNobodyUses() async throws {
        let configuration = configured {
            $0.idleTimeout = .seconds(600)
            $0.idleTimeoutWhenShort = .zero
        }
        try await GRPCHarness.run(configuration) { harness in
            let known = try await harness.connect()
            _ = try await harness.onLoop { _ in try known.open("/t.T/Sink") }
            try await harness.eventually("call") { $0.service.calls.count == 1 }
            for _ in 0..<3 { _ = try await harness.connect() }
            try await harness.eventually("all are there") { $0.server.connectionCount == 4 }
            try await harness.onLoop { $0.server.makeRoom() }
            #expect(try await harness.onLoop { $0.server.connectionCount } == 1)
            #expect(try await harness.onLoop { $0.server.statistics.connectionsClosed(.idle) } == 3)
        }
    }

    @Test func nothingOfARequestsHeadersIsKept() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            let id = try await harness.onLoop { _ in
                try client.open("/t.T/Who", ["agent_id": "somebody"], framed: GRPCHarness.frame([1]))
            }
            try await harness.eventually("answers") { _ in CallResult(client.events, id).messages.count == 2 }
            let said = try await harness.onLoop { _ in CallResult(client.events, id).messages[0] }
            #expect(said == Array("somebody".utf8))
            #expect(try await harness.onLoop { $0.service.calls[0].metadata("agent_id") } == nil)
            let long = try await harness.call("/t.T/" + String(repeating: "x", count: 5000), by: client)
            #expect(long.status == 12)
            #expect(long.message?.utf8.count ?? 0 < 300)
        }
    }
}
