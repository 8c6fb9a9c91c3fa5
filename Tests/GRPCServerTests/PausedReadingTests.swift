// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import GRPCServer

/// A client that is not read could not be heard: nobody holds the time against it. The server stops to read all of them when
/// its ring is full, and one of them alone when that holds too much of the memory for unfinished messages.
@Suite struct PausedReadingTests {
    enum Pause: CaseIterable { case ofAll, ofOne }

    private func pass(_ time: TimeAmount, pausedBy pause: Pause, _ connection: GRPCConnection, _ harness: EmbeddedGRPC)
    {
        switch pause {
        case .ofAll: harness.server.pauseReading()
        case .ofOne: connection.setReading(false)
        }
        harness.pass(time)
        switch pause {
        case .ofAll: harness.server.resumeReading()
        case .ofOne: connection.setReading(true)
        }
    }

    @Test(arguments: Pause.allCases) func grpcConnection_pingTimeoutExcludesPauses(_ pause: Pause) throws {
        let harness = EmbeddedGRPC()
        let client = try harness.connect()
        _ = try harness.open("/t.T/Sink", by: client)
        let connection = harness.service.calls[0].connection
        client.isFrozen = true
        var answers: [Bool] = []
        connection.ping(timeout: .seconds(5)) { answers.append($0) }
        harness.pass(.seconds(1))
        pass(.seconds(60), pausedBy: pause, connection, harness)
        harness.pass(.milliseconds(3750))
        #expect(answers.isEmpty)
        harness.pass(.milliseconds(250))
        #expect(answers == [false], "and not more than that")
    }

    @Test(arguments: Pause.allCases) func grpcConnection_idleTimeExcludesPauses(_ pause: Pause) throws {
        let harness = EmbeddedGRPC(configured { $0.idleTimeout = .seconds(20) })
        let client = try harness.connect()
        let id = try harness.open("/t.T/Echo", by: client, isEnd: true)
        #expect(client.events.closed[id] != nil)
        let connection = harness.service.calls[0].connection
        harness.pass(.seconds(10))
        pass(.seconds(60), pausedBy: pause, connection, harness)
        harness.pass(.milliseconds(9750))
        #expect(harness.server.connectionCount == 1)
        harness.pass(.milliseconds(250))
        #expect(harness.server.connectionCount == 0)
    }

    @Test func grpcConnection_prefaceTimeoutExcludesPauses() throws {
        let harness = EmbeddedGRPC(configured { $0.prefaceTimeout = .seconds(10) })
        _ = try harness.connect(isFrozen: true)
        harness.pass(.seconds(4))
        harness.server.pauseReading()
        harness.pass(.seconds(60))
        harness.server.resumeReading()
        harness.pass(.milliseconds(5750))
        #expect(harness.server.connectionCount == 1)
        harness.pass(.milliseconds(250))
        #expect(harness.server.connectionCount == 0)
    }
}
