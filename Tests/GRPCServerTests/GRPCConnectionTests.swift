// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import GRPCServer
import HTTP2
import Testing

/// What becomes of connections: drained, frozen, flooding, not reading, paused.
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

    @Test func drain_letsOpenCallsGoOnAndTheClientClose() async throws {
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
    @Test func drain_takesStreamsThatCrossTheFirstGoAway() async throws {
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

    @Test func drain_sendsTheFinalGoAwayWithoutAnAnswerToThePing() async throws {
        try await GRPCHarness.run(configured { $0.goAwayTimeout = .milliseconds(300) }) { harness in
            let client = try await harness.connect()
            try await harness.eventually("settings") { _ in client.events.settings > 0 }
            try await harness.onLoop { harness in
                client.isFrozen = true
                harness.server.drain()
            }
            try await Task.sleep(for: .milliseconds(700))
            #expect(try await harness.onLoop { $0.server.connectionCount } == 1)
        }
    }

    @Test func aFrozenPeerIsFoundAndASilentOneIsNot() async throws {
        let configuration = configured {
            $0.keepaliveIdle = .milliseconds(300)
            $0.keepaliveTimeout = .milliseconds(300)
        }
        try await GRPCHarness.run(configuration) { harness in
            let silent = try await harness.connect()
            let frozen = try await harness.connect()
            let ids = try await harness.onLoop { _ in
                (try silent.open("/t.T/Sink"), try frozen.open("/t.T/Sink"))
            }
            try await harness.eventually("calls") { $0.service.calls.count == 2 }
            try await harness.onLoop { _ in frozen.isFrozen = true }
            try await harness.eventually("frozen closed") { $0.service.ends == [.connectionClosed(.keepalive)] }
            try await harness.eventually("more pings") { $0.server.statistics.keepalivePings >= 4 }
            let isSilentAlive = try await harness.onLoop { _ in silent.isConnected && silent.events.closed[ids.0] == nil
            }
            #expect(isSilentAlive)
            #expect(try await harness.onLoop { $0.server.statistics.connectionsClosed(.keepalive) } == 1)
        }
    }

    @Test func aPingTellsTheLivingFromTheFrozen() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            _ = try await harness.onLoop { _ in try client.open("/t.T/Sink") }
            try await harness.eventually("call") { $0.service.calls.count == 1 }
            try await harness.onLoop { harness in
                harness.service.calls[0].connection.ping(timeout: .seconds(5)) {
                    harness.service.received.append([$0 ? 1 : 0])
                }
            }
            try await harness.eventually("answer") { $0.service.received == [[1]] }
            try await harness.onLoop { harness in
                client.isFrozen = true
                harness.service.calls[0].connection.ping(timeout: .milliseconds(300)) {
                    harness.service.received.append([$0 ? 1 : 0])
                }
            }
            try await harness.eventually("no answer") { $0.service.received == [[1], [0]] }
            try await harness.onLoop { harness in
                harness.service.calls[0].connection.ping(timeout: .seconds(60)) {
                    harness.service.received.append([$0 ? 3 : 2])
                }
                harness.service.calls[0].connection.close()
            }
            try await closed(harness, by: .service)
            #expect(try await harness.onLoop { $0.service.received } == [[1], [0], [2]])
        }
    }

    @Test func whoDoesNotSpeakHTTP2IsClosed() async throws {
        // Longer than a starved machine takes to write the request.
        try await GRPCHarness.run(configured { $0.prefaceTimeout = .seconds(120) }) { harness in
            let client = try await harness.connect(isFrozen: true)
            try await harness.onLoop { _ in client.writeRaw(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)) }
            try await closed(harness, by: .badPreface)
        }
    }

    @Test func whoSaysNothingIsClosed() async throws {
        let configuration = configured { $0.prefaceTimeout = .milliseconds(300) }
        try await GRPCHarness.run(configuration) { harness in
            let client = try await harness.connect(isFrozen: true)
            try await harness.onLoop { _ in client.writeRaw(Array("PRI * HTTP".utf8)) }
            try await closed(harness, by: .prefaceTimeout)
        }
    }

    @Test func whoDoesNotReadIsClosed() async throws {
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

    @Test func aFewThousandPingsAreAnsweredAndAFloodIsNot() async throws {
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
            try await closed(harness, by: .abuse)
        }
    }

    @Test func whatIsNotReadIsNotLostAndCountsForNobody() async throws {
        let configuration = configured {
            $0.keepaliveIdle = .milliseconds(200)
            $0.keepaliveTimeout = .milliseconds(200)
        }
        try await GRPCHarness.run(configuration) { harness in
            let client = try await harness.connect()
            let id = try await harness.onLoop { _ in try client.open("/t.T/Echo") }
            try await harness.eventually("call") { $0.service.calls.count == 1 }
            try await harness.onLoop { harness in
                harness.server.pauseReading()
                client.send(GRPCHarness.frame([7]), on: id)
            }
            let late = try await harness.connect()
            _ = try await harness.onLoop { _ in try late.open("/t.T/Echo") }
            try await Task.sleep(for: .milliseconds(1500))
            let paused = try await harness.onLoop {
                ($0.service.received.count, $0.service.calls.count, $0.server.connectionCount)
            }
            #expect(paused == (0, 1, 1))
            try await harness.onLoop { $0.server.resumeReading() }
            try await harness.eventually("the rest") { $0.service.received == [[7]] && $0.service.calls.count == 2 }
            let isStillConnected = try await harness.onLoop { _ in client.isConnected }
            #expect(isStillConnected)
        }
    }

    @Test func halfSentMessagesDoNotFillTheMemory() async throws {
        let configuration = configured {
            $0.maxMessageBytes = 1 << 20
            $0.assemblyBudgetBytes = 2 << 20
            $0.assemblyStallTimeout = .milliseconds(500)
        }
        try await GRPCHarness.run(configuration) { harness in
            try await harness.onLoop { $0.service.keepsMessages = false }
            // Forty messages of which all but the last bytes come: 35 MB against a budget of 2 MiB.
            let half = Array(GRPCHarness.frame([UInt8](repeating: 1, count: 1 << 20)).prefix(900_000))
            var clients: [TestClient] = []
            for _ in 0..<4 {
                let client = try await harness.connect()
                clients.append(client)
                try await harness.onLoop { _ in
                    for _ in 0..<10 { _ = try client.open("/t.T/Sink", framed: half) }
                }
            }
            try await harness.eventually("given up") { $0.server.statistics.refused(.assemblyExhausted) >= 10 }
            // An honest client's messages pass meanwhile, though they may have to wait.
            let honest = try await harness.call("/t.T/Sink", messages: [[UInt8](repeating: 2, count: 500_000)])
            #expect(honest.status == 0 || honest.status == 8)
            let small = try await harness.call("/t.T/Echo", messages: [[1, 2, 3]])
            #expect(small.status == 0)
            let peak = try await harness.onLoop { $0.server.statistics.assemblyPeakBytes }
            // Twice the budget, and what one chunk can add: a buffer of half a message that doubles.
            #expect(peak <= 2 * (2 << 20) + (512 << 10))
            let codes = try await harness.onLoop { [clients] _ in
                clients.flatMap { client in client.events.closed.keys.map { CallResult(client.events, $0).status } }
            }
            #expect(codes.allSatisfy { $0 == 8 })
        }
    }

    /// As two workers do: one stops, and whoever comes next is served by the other. One after the other, because a debug
    /// build of NIO traps in a server that is woken for a connection which another has taken (CONTRIBUTING.md, "Tests").
    @Test func aSharedSocketOutlivesOneOfItsServers() async throws {
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
