// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import NIOCore
import Testing

@testable import GRPCServer

/// Connections and calls of peers that nobody knows: what is kept of them, and for how long.
@Suite struct IdleConnectionTests {
    private func closedAsIdle(_ harness: EmbeddedGRPC) -> Int { harness.server.statistics.connectionsClosed(.idle) }

    @Test func grpcServer_closesIdleConnectionsAndKeepsKnownOnes() throws {
        let harness = EmbeddedGRPC(configured { $0.idleTimeout = .seconds(30) })
        let known = try harness.connect()
        _ = try harness.open("/t.T/Sink", by: known)
        for number in 1...2 {
            let client = try harness.connect()
            harness.pass(.seconds(29))
            #expect(client.isConnected)
            harness.pass(.seconds(1))
            #expect(!client.isConnected && closedAsIdle(harness) == number)
        }
        #expect(known.isConnected && harness.server.connectionCount == 1)
    }

    @Test func grpcServer_closesConnectionsThatOnlyMakeUnknownCalls() throws {
        let harness = EmbeddedGRPC(configured { $0.idleTimeout = .seconds(30) })
        let (stranger, made) = (try harness.connect(), try harness.connect())
        _ = try harness.open("/t.T/Stranger", by: stranger)
        _ = try harness.open("/t.T/Stranger", by: made)
        _ = try harness.open("/t.T/Unknown", by: stranger)
        #expect(harness.service.calls.count == 2)
        // One of them is known from now on.
        let call = harness.service.calls[1]
        call.keepsConnection = true
        #expect(call.connection.id != harness.service.calls[0].connection.id)
        harness.pass(.seconds(30))
        #expect(!stranger.isConnected && made.isConnected && closedAsIdle(harness) == 1)
        #expect(harness.service.ends == [.connectionClosed(.idle)])
        // …until its call is over.
        call.finish(.ok)
        harness.pass(.seconds(29))
        #expect(made.isConnected)
        harness.pass(.seconds(1))
        #expect(!made.isConnected && closedAsIdle(harness) == 2)
    }

    @Test func grpcServer_closesIdleConnectionsWhenDescriptorsRunOut() throws {
        let harness = EmbeddedGRPC(
            configured {
                $0.idleTimeout = .seconds(600)
                $0.idleTimeoutWhenShort = .seconds(5)
            })
        let known = try harness.connect()
        _ = try harness.open("/t.T/Sink", by: known)
        let unused = try (0..<3).map { _ in try harness.connect() }
        harness.pass(.seconds(5))
        let fresh = try harness.connect()
        harness.server.makeRoom()
        harness.settle()
        #expect(unused.allSatisfy { !$0.isConnected } && known.isConnected && fresh.isConnected)
        #expect(closedAsIdle(harness) == 3)
    }

    @Test func grpcServer_keepsNoHeadersOfARequest() throws {
        let harness = EmbeddedGRPC()
        let client = try harness.connect()
        let id = try harness.open("/t.T/Who", by: client, ["agent_id": "somebody"], framed: GRPCHarness.frame([1]))
        #expect(CallResult(client.events, id).messages.first == Array("somebody".utf8))
        #expect(harness.service.calls[0].metadata("agent_id") == nil)
        let long = try harness.open("/t.T/" + String(repeating: "x", count: 5000), by: client)
        let result = CallResult(client.events, long)
        #expect(result.status == 12)
        #expect(result.message.map { $0.utf8.count < 300 } == true)
    }
}
