// SPDX-License-Identifier: Apache-2.0

import FODCProtocol
import Glibc
import NIOCore
import NIOPosix
import SwiftProtobuf
import Synchronization
import Testing

@testable import AgentSimulation

/// An agent that dials, against a proxy that is a socket and bytes.
@Suite struct ReconnectTests {
    /// The agent's log lines.
    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])

        /// - Returns: all lines until now.
        func add(_ line: String) -> [String] {
            lines.withLock {
                $0.append(line)
                return $0
            }
        }
    }

    /// The registration is lost while the other streams, which go elsewhere, are being dialled.
    @Test func simulatedAgent_skipsAReconnectWhileAnotherIsInProgress() throws {
        let proxy = try OneConnectionProxy()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        let loop = group.next()
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: proxy.port)
        let identity = SimulatedIdentity(index: 1, mix: .standard, podPrefix: "pod")
        let statistics = FleetStatistics()
        let log = Log()
        let twoLines = loop.makePromise(of: [String].self)
        defer { twoLines.fail(CancellationError()) }
        let agent = try loop.submit { () -> NIOLoopBound<SimulatedAgent> in
            let agent = Self.makeAgent(identity, address, loop, statistics) { line in
                let lines = log.add(line)
                if lines.count == 2 { twoLines.succeed(lines) }
            }
            agent.start(after: .zero)
            return NIOLoopBound(agent, eventLoop: loop)
        }.wait()
        try proxy.accept(until: identity.podName)
        // The next connection is neither taken nor refused.
        let fillers = try (0..<OneConnectionProxy.waitingConnections).map { _ in try proxy.connectAndWait() }
        defer { for filler in fillers { close(filler) } }
        try proxy.goAwayAndAnswer()
        let lines = try twoLines.futureResult.wait()
        #expect(lines.last == "\(identity.podName): reconnection already in progress")
        let counts = statistics.snapshot
        #expect(counts.errors["reconnect skipped"] == 1)
        #expect(counts.registrations == 1 && counts.registered == 0)
        try loop.submit { agent.value.stop() }.wait()
    }

    private static func makeAgent(
        _ identity: SimulatedIdentity, _ address: SocketAddress, _ loop: any EventLoop, _ statistics: FleetStatistics,
        log: @escaping @Sendable (String) -> Void
    ) -> SimulatedAgent {
        let settings = StreamSettings()
        let cluster = SimulatedCluster(mix: .standard, podPrefix: "pod", nodeCount: 5, seed: 1)
        let templates = TemplateSet(
            plan: SeriesPlan(kind: identity.kind, count: 50), podNameBytes: identity.podName.utf8.count,
            source: .moving, seed: 1)
        let maker = AnswerMaker(
            identity: identity, source: .moving,
            schedule: RecordingSchedule(intervalSeconds: 10, pointCount: 6, key: 4),
            series: .planned(templates), sendsOddMetrics: false, seed: 1)
        return SimulatedAgent(
            AgentConnection.Configuration(
                identity: identity, behaviour: .normal, streamCount: AgentMethod.allCases.count, silentStreams: [],
                authority: "proxy", freezeAfter: .seconds(5)),
            maker: maker,
            answers: NodeAnswers(
                identity, in: cluster, SchemaCatalogue(groupCount: settings.groupCount, seed: 1), settings,
                isSchemaFaulty: false, canReadRegistry: true),
            address: address, eventLoop: loop, statistics: statistics, log: log)
    }
}

/// Takes one connection, whose registration it answers as it goes away. Its frames are written by hand.
private final class OneConnectionProxy {
    struct Failed: Error { let what: String }

    private let listener: Int32
    private var connection: Int32 = -1
    let port: Int

    /// One more than the backlog: that is when the kernel takes no other.
    static let waitingConnections = 2

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(descriptor, generic, length) == 0, listen(descriptor, 1) == 0 else { return false }
                return getsockname(descriptor, generic, &length) == 0
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        guard isListening else { throw Failed(what: "listen") }
    }

    deinit {
        close(listener)
        if connection >= 0 { close(connection) }
    }

    /// Waits for a client that has sent this text.
    func accept(until text: String) throws {
        Self.limitTimeout(listener)
        connection = Glibc.accept(listener, nil, nil)
        guard connection >= 0 else { throw Failed(what: "accept") }
        Self.limitTimeout(connection)
        var received: [UInt8] = []
        while !String(decoding: received, as: UTF8.self).contains(text) {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { throw Failed(what: "nothing comes any more") }
            received += buffer[..<count]
        }
    }

    /// Only so that a broken client does not hang the test.
    private static func limitTimeout(_ descriptor: Int32) {
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// - Returns: a connection that waits to be accepted for ever.
    func connectAndWait() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failed(what: "connect") }
        return descriptor
    }

    /// GOAWAY, the answer to the registration, and the connection's end.
    func goAwayAndAnswer() throws {
        let answer: [UInt8] = try Banyandb_Fodc_V1_RegisterAgentResponse.with {
            $0.success = true
            $0.agentID = "some-id"
            $0.heartbeatIntervalSeconds = 60
        }.serializedBytes()
        let name = Array("content-type".utf8)
        let value = Array("application/grpc".utf8)
        // ":status: 200" out of the static table, and a literal field that is not indexed (RFC 7541, section 6).
        var block: [UInt8] = [0x88, 0, UInt8(name.count)]
        block += name
        block.append(UInt8(value.count))
        block += value
        let settings = Self.frame(type: 4, flags: 0, stream: 0, [])
        let goAway = Self.frame(type: 7, flags: 0, stream: 0, [0, 0, 0, 1, 0, 0, 0, 0])
        let headers = Self.frame(type: 1, flags: 4, stream: 1, block)
        let prefix: [UInt8] = [0, 0, 0, 0, UInt8(answer.count)]
        let data = Self.frame(type: 0, flags: 0, stream: 1, prefix + answer)
        let bytes: [UInt8] = settings + goAway + headers + data
        guard send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Failed(what: "send")
        }
        // No close: what the agent still sends would make a reset of it, and the answer could be lost.
        shutdown(connection, Int32(SHUT_WR))
    }

    private static func frame(type: UInt8, flags: UInt8, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        precondition(payload.count < 256, "a length of one byte")
        return [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
    }
}
