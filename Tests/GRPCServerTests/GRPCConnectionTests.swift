// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import GRPCServer
import HTTP2
import Testing

/// Connections over real sockets: drained, flooding, not reading. Tests of timeouts are in
/// `ConnectionTimeTests`.
@Suite struct GRPCConnectionTests {
    private func closed(_ harness: GRPCHarness, by end: GRPCConnectionEnd) async throws {
        try await harness.eventually("connection closed") {
            $0.server.statistics.connectionsAccepted == 1 && $0.server.connectionCount == 0
        }
        let causes = try await harness.onLoop { harness in
            GRPCConnectionEnd.allCases.filter { harness.server.statistics.connectionsClosed($0) > 0 }
        }
        #expect(causes == [end])
    }

    @Test func grpcConnection_drainKeepsOpenCallsUntilTheClientCloses() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            let id = try await harness.onLoop { _ in try client.open("/t.T/Echo", framed: GRPCHarness.frame([1])) }
            try await harness.eventually("first answer") { _ in client.events.data[id]?.count == 6 }
            try await harness.onLoop { $0.server.drain() }
            // The final one follows the client's answer to a PING.
            try await harness.eventually("GOAWAY, twice") { _ in client.events.lastStreamIDs == [.max, id] }
            #expect(try await harness.onLoop { _ in client.events.goAways } == [.noError, .noError])
            try await harness.onLoop { _ in client.send(GRPCHarness.frame([2]), on: id) }
            try await harness.eventually("second answer") { _ in client.events.data[id]?.count == 12 }
            try await harness.onLoop { $0.service.calls.first?.finish(GRPCStatus(.unavailable, "draining")) }
            try await harness.eventually("the end") { _ in CallResult(client.events, id).status == 14 }
            #expect(try await harness.onLoop { $0.server.connectionCount } == 1)
            try await harness.onLoop { _ in client.channel?.close(promise: nil) }
            try await closed(harness, by: .drained)
        }
    }

    /// A stream that was under way when the first GOAWAY was sent is taken: the connection is neither closed nor deaf.
    @Test func grpcConnection_drainAcceptsStreamsThatCrossTheFirstGoAway() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            try await harness.eventually("settings") { _ in client.events.settings > 0 }
            let id = try await harness.onLoop { harness in
                harness.server.drain()
                return try client.open("/t.T/Echo", framed: GRPCHarness.frame([1]), isEnd: true)
            }
            try await harness.eventually("the answer") { _ in CallResult(client.events, id).status == 0 }
            // nghttp2's client takes in nothing more after a GOAWAY when it has no stream: not the final one either.
            try await harness.eventually("GOAWAY") { _ in client.events.lastStreamIDs.first == .max }
            #expect(try await harness.onLoop { _ in client.isConnected })
        }
    }

    @Test func grpcConnection_closesAPeerThatDoesNotSpeakHTTP2() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect(isFrozen: true)
            try await harness.onLoop { _ in client.writeRaw(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)) }
            try await closed(harness, by: .badPreface)
        }
    }

    @Test func grpcConnection_closesAPeerThatDoesNotRead() async throws {
        let configuration = configured { $0.maxQueuedBytes = 256 << 10 }
        try await GRPCHarness.run(configuration) { harness in
            let client = try await harness.connect()
            _ = try await harness.onLoop { _ in try client.open("/t.T/Sink") }
            try await harness.eventually("call") { $0.service.calls.count == 1 }
            try await harness.onLoop { harness in
                client.events.creditsData = false
                for _ in 0..<100 { harness.service.calls[0].send([UInt8](repeating: 1, count: 4096)) }
            }
            try await closed(harness, by: .slowReader)
            #expect(try await harness.onLoop { $0.service.ends } == [.connectionClosed(.slowReader)])
        }
    }

    @Test func grpcConnection_answersPingsAndClosesOnAFlood() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            for _ in 0..<5 {
                try await harness.onLoop { _ in
                    for number in 0..<1000 { client.session.ping(payload: UInt64(number)) }
                    client.flush()
                }
            }
            try await harness.eventually("answers") { _ in client.events.pings.count == 5000 }
            try await harness.onLoop { _ in
                for _ in 0..<20 {
                    for number in 0..<2000 { client.session.ping(payload: UInt64(number)) }
                    client.flush()
                }
            }
            try await closed(harness, by: .controlFrames)
        }
    }

    /// As two workers do: one stops, and whoever comes next is served by the other. One after the other, because a debug
    /// build of NIO traps in a server that is woken for a connection which another has taken (CONTRIBUTING.md, "Tests").
    @Test func grpcServer_leavesASharedSocketOpen() async throws {
        try await GRPCHarness.run { harness in
            for number in 0..<6 {
                let result = try await harness.call(messages: [[UInt8(number)]])
                #expect(result.messages == [[UInt8(number)]])
            }
            try await harness.onLoop { harness in
                harness.server.stopAccepting()
                harness.server.closeAll()
            }
            let other = try await GRPCHarness(.init(), sharing: harness)
            let result = try await harness.call(messages: [[9]])
            #expect(result.messages == [[9]])
            let accepted = try await other.onLoop { $0.server.statistics.connectionsAccepted }
            #expect(accepted == 1)
            try await other.stop()
        }
    }
}
