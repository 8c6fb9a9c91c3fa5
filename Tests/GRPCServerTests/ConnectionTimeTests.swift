// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2
import NIOCore
import Testing

@testable import GRPCServer

/// Connections as time passes: frozen ones, silent ones, those that are not read.
@Suite struct ConnectionTimeTests {
    private func closedBy(_ harness: EmbeddedGRPC) -> [GRPCConnectionEnd] {
        GRPCConnectionEnd.allCases.filter { harness.server.statistics.connectionsClosed($0) > 0 }
    }

    @Test func grpcConnection_drainSendsTheFinalGoAwayWithoutAPingAnswer() throws {
        let harness = EmbeddedGRPC(configured { $0.goAwayTimeout = .seconds(1) })
        let client = try harness.connect()
        // nghttp2's client takes in nothing more after a GOAWAY when it has no stream.
        let id = try harness.open("/t.T/Sink", by: client)
        client.isMute = true
        harness.server.drain()
        harness.pass(.milliseconds(750))
        #expect(client.events.lastStreamIDs == [.max])
        harness.pass(.milliseconds(250))
        #expect(client.events.lastStreamIDs == [.max, id])
        #expect(client.isConnected && harness.server.connectionCount == 1)
    }

    @Test func grpcConnection_closesAFrozenPeerAndKeepsASilentOne() throws {
        let harness = EmbeddedGRPC(
            configured {
                $0.keepaliveIdle = .seconds(30)
                $0.keepaliveTimeout = .seconds(20)
            })
        let (silent, frozen) = (try harness.connect(), try harness.connect())
        let id = try harness.open("/t.T/Sink", by: silent)
        _ = try harness.open("/t.T/Sink", by: frozen)
        frozen.isFrozen = true
        harness.pass(.milliseconds(49_750))
        #expect(harness.server.statistics.keepalivePings == 2 && harness.service.ends.isEmpty)
        harness.pass(.milliseconds(250))
        #expect(harness.service.ends == [.connectionClosed(.keepalive)])
        harness.pass(.seconds(90))
        #expect(harness.server.statistics.keepalivePings == 5)
        #expect(silent.isConnected && silent.events.closed[id] == nil)
        #expect(harness.server.statistics.connectionsClosed(.keepalive) == 1)
    }

    @Test func grpcConnection_distinguishesFrozenPeersByPing() throws {
        let harness = EmbeddedGRPC()
        let client = try harness.connect()
        _ = try harness.open("/t.T/Sink", by: client)
        let connection = harness.service.calls[0].connection
        var answers: [Bool] = []
        connection.ping(timeout: .seconds(5)) { answers.append($0) }
        harness.settle()
        #expect(answers == [true])
        client.isFrozen = true
        connection.ping(timeout: .seconds(5)) { answers.append($0) }
        harness.pass(.milliseconds(4750))
        #expect(answers == [true])
        harness.pass(.milliseconds(250))
        #expect(answers == [true, false])
        // The caller is told of the end as well.
        connection.ping(timeout: .seconds(60)) { answers.append($0) }
        connection.close()
        harness.settle()
        #expect(answers == [true, false, false])
        #expect(closedBy(harness) == [.service])
    }

    @Test func grpcConnection_closesAPeerWithoutAPreface() throws {
        let harness = EmbeddedGRPC(configured { $0.prefaceTimeout = .seconds(10) })
        let (silent, slow) = (try harness.connect(isFrozen: true), try harness.connect(isFrozen: true))
        harness.pass(.seconds(5))
        // A part of the preface gives no more time.
        slow.writeRaw(Array("PRI * HTTP".utf8))
        harness.pass(.milliseconds(4750))
        #expect(harness.server.connectionCount == 2)
        harness.pass(.milliseconds(250))
        for client in [silent, slow] { client.isFrozen = false }
        harness.settle()
        #expect(!silent.isConnected && !slow.isConnected)
        #expect(closedBy(harness) == [.prefaceTimeout])
    }

    @Test func grpcConnection_keepsUnreadBytesAndStopsTimersWhilePaused() throws {
        let harness = EmbeddedGRPC()
        let client = try harness.connect()
        let id = try harness.open("/t.T/Echo", by: client)
        harness.server.pauseReading()
        client.send(GRPCHarness.frame([7]), on: id)
        let late = try harness.connect()
        _ = try harness.open("/t.T/Echo", by: late)
        // Longer than all timeouts together.
        harness.pass(.seconds(600))
        #expect(harness.service.received.isEmpty && harness.service.calls.count == 1)
        harness.server.resumeReading()
        harness.settle()
        #expect(harness.service.received == [[7]] && harness.service.calls.count == 2)
        #expect(client.isConnected && late.isConnected)
        // From here on they have the whole time again.
        harness.pass(.seconds(29))
        #expect(harness.server.statistics.keepalivePings == 0)
        harness.pass(.seconds(1))
        #expect(harness.server.statistics.keepalivePings == 2)
    }

    /// Messages that are sent on a finished call and not taken.
    @Test func grpcConnection_resetsAFinishedCallThatIsNotRead() throws {
        let harness = EmbeddedGRPC(configured { $0.lingerTimeout = .seconds(10) })
        let client = try harness.connect()
        client.events.creditsData = false
        let id = try harness.open("/t.T/Sink", by: client)
        // More than the window of a stream.
        for _ in 0..<20 { harness.service.calls[0].send([UInt8](repeating: 1, count: 4096)) }
        harness.service.calls[0].finish(.ok)
        harness.pass(.milliseconds(9750))
        #expect(client.events.closed[id] == nil)
        harness.pass(.milliseconds(250))
        #expect(client.events.closed[id]?.map(\.error) == [.cancel])
        #expect(client.isConnected)
    }

    @Test func grpcConnection_boundsMemoryOfIncompleteMessages() throws {
        let harness = EmbeddedGRPC(
            configured {
                $0.maxMessageBytes = 1 << 20
                $0.assemblyBudgetBytes = 2 << 20
                $0.assemblyStallTimeout = .seconds(2)
            })
        harness.service.keepsMessages = false
        // Forty messages of which all but the last bytes come: 35 MB against a budget of 2 MiB.
        let half = Array(GRPCHarness.frame([UInt8](repeating: 1, count: 1 << 20)).prefix(900_000))
        let clients = try (0..<4).map { _ in
            let client = try harness.connect()
            for _ in 0..<10 { _ = try harness.open("/t.T/Sink", by: client, framed: half) }
            return client
        }
        let statistics = { harness.server.statistics }
        #expect(harness.pass(atMost: .seconds(60)) { statistics().refused(.assemblyExhausted) >= 10 })
        // An honest client's messages pass meanwhile, though they may have to wait.
        let honest = try harness.connect()
        let large = try harness.open(
            "/t.T/Sink", by: honest, framed: GRPCHarness.frame([UInt8](repeating: 2, count: 500_000)), isEnd: true)
        #expect(harness.pass(atMost: .seconds(60)) { honest.events.closed[large] != nil })
        #expect([0, 8].contains(CallResult(honest.events, large).status))
        let small = try harness.open("/t.T/Echo", by: honest, framed: GRPCHarness.frame([1, 2, 3]), isEnd: true)
        #expect(CallResult(honest.events, small).status == 0)
        // Twice the budget, and what one chunk can add: a buffer of half a message that doubles.
        #expect(statistics().assemblyPeakBytes <= 2 * (2 << 20) + (512 << 10))
        let codes = clients.flatMap { client in
            client.events.closed.keys.map { CallResult(client.events, $0).status }
        }
        #expect(!codes.isEmpty && codes.allSatisfy { $0 == 8 })
    }
}
