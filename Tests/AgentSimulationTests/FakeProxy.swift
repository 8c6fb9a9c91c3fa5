// SPDX-License-Identifier: Apache-2.0

import FODCProtocol
import HTTP2
import NIOCore
import NIOEmbedded
import SwiftProtobuf

@testable import AgentSimulation

/// The proxy's end of one agent's connection, in memory: answers the registration, remembers what comes in on which
/// stream, and can withhold a stream's window.
final class FakeProxy: HTTP2SessionDelegate, HTTP2StreamDelegate {
    let channel = EmbeddedChannel()
    let statistics = FleetStatistics()
    private(set) var end: ConnectionEnd?
    private(set) var received: [(method: AgentMethod, message: [UInt8])] = []
    /// Streams whose bytes are taken without being credited.
    var withheld: Set<AgentMethod> = []
    /// Streams that are refused as unknown.
    private let unknown: Set<AgentMethod>
    /// Goes away before it answers the registration.
    private let goesAway: Bool
    /// The id with which the agent has asked for another connection for its streams.
    private(set) var streamsElsewhere: String?

    private let session: HTTP2Session
    private var connection: AgentConnection?
    private var streams: [AgentMethod: HTTP2Stream] = [:]
    private var methods: [Int32: AgentMethod] = [:]
    private var assemblers: [AgentMethod: ByteBuffer] = [:]
    private var owedBytes: [AgentMethod: Int] = [:]

    init(
        behaviour: AgentBehaviour = .normal, silent: Set<AgentMethod> = [], unknown: Set<AgentMethod> = [],
        settings: StreamSettings = StreamSettings(), goesAway: Bool = false,
        part: AgentConnection.Part = .whole
    ) throws {
        self.unknown = unknown
        self.goesAway = goesAway
        session = try HTTP2Session(configuration: HTTP2Configuration(role: .server))
        session.delegate = self
        let identity = SimulatedIdentity(index: 1, mix: .standard, podPrefix: "pod")
        let cluster = SimulatedCluster(mix: .standard, podPrefix: "pod", nodeCount: 5, seed: 1)
        let plan = SeriesPlan(kind: identity.kind, count: 50)
        let templates = TemplateSet(
            plan: plan, podNameBytes: identity.podName.utf8.count, source: .moving, seed: 1)
        let maker = AnswerMaker(
            identity: identity, source: .moving,
            schedule: RecordingSchedule(intervalSeconds: 10, pointCount: 6, key: 4),
            series: .planned(templates), sendsOddMetrics: false, seed: 1)
        let connection = AgentConnection(
            AgentConnection.Configuration(
                identity: identity, behaviour: behaviour, streamCount: AgentMethod.allCases.count,
                silentStreams: silent, authority: "proxy", freezeAfter: .seconds(5)),
            part: part, maker: maker,
            answers: NodeAnswers(
                identity, in: cluster, SchemaCatalogue(groupCount: settings.groupCount, seed: 1), settings,
                isSchemaFaulty: false, canReadRegistry: true),
            statistics: statistics, onStreamsDiverted: { [weak self] in self?.streamsElsewhere = $0 },
            onEnd: { [weak self] in self?.end = $0 })
        self.connection = connection
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try exchange()
    }

    var openMethods: Set<AgentMethod> { Set(streams.keys) }

    func count(_ method: AgentMethod) -> Int {
        received.count { $0.method == method }
    }

    func ask(_ method: AgentMethod, _ message: some Message) throws {
        let stream = streams[method]
        if let stream { session.send(ProxyMessageAssembler.framed(try message.serializedBytes()), on: stream) }
        try exchange()
    }

    func listProfiles(_ id: String) throws {
        var command = Banyandb_Fodc_V1_StreamPressureProfilesResponse()
        command.listProfiles.requestID = id
        try ask(.streamPressureProfiles, command)
    }

    func fetch(_ profileID: String) throws {
        var command = Banyandb_Fodc_V1_StreamPressureProfilesResponse()
        command.fetchProfile.requestID = "fetch"
        command.fetchProfile.profileID = profileID
        command.fetchProfile.type = "heap"
        try ask(.streamPressureProfiles, command)
    }

    /// Lets the agent send what it was not allowed to.
    func release(_ method: AgentMethod) throws {
        withheld.remove(method)
        if let stream = streams[method] { session.credit(stream, bytes: owedBytes[method] ?? 0) }
        owedBytes[method] = nil
        try exchange()
    }

    func advance(seconds: Int64) throws {
        channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
        try exchange()
    }

    /// Carries bytes to and fro until nobody has any.
    private func exchange() throws {
        var isIdle = false
        while !isIdle {
            isIdle = true
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
                isIdle = false
                try session.receive(bytes.readableBytesSpan)
            }
            var bytes = ByteBuffer()
            try session.send(into: &bytes, upTo: 64 << 10)
            if bytes.readableBytes > 0 {
                isIdle = false
                try channel.writeInbound(bytes)
            }
        }
    }

    // MARK: HTTP/2

    func session(_ session: HTTP2Session, opened stream: HTTP2Stream, headers: HTTP2Headers) {
        guard let method = AgentMethod.allCases.first(where: { $0.path == headers[":path"] }) else { return }
        if unknown.contains(method) {
            let trailersOnly: HTTP2Headers = [
                ":status": "200", "content-type": "application/grpc", "grpc-status": "12",
            ]
            return session.respond(stream, trailersOnly, isEnd: true)
        }
        stream.delegate = self
        streams[method] = stream
        methods[stream.id] = method
        session.respond(stream, [":status": "200", "content-type": "application/grpc"], isEnd: false)
    }

    func session(_ session: HTTP2Session, receivedPingAnswer payload: UInt64) {}
    func session(_ session: HTTP2Session, receivedGoAway error: HTTP2ErrorCode, lastStreamID: Int32) {}
    func sessionReceivedSettings(_ session: HTTP2Session) {}

    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers, isEnd: Bool) {}
    func streamReceivedEnd(_ stream: HTTP2Stream) {}
    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd) {}

    func stream(_ stream: HTTP2Stream, received data: RawSpan) {
        guard let method = methods[stream.id] else { return }
        session.creditConnection(bytes: data.byteCount)
        if withheld.contains(method) {
            owedBytes[method, default: 0] += data.byteCount
        } else {
            session.credit(stream, bytes: data.byteCount)
        }
        assemblers[method, default: ByteBuffer()].writeBytes(data)
        while let message = cutMessage(method) {
            received.append((method, message))
            if method == .registerAgent, count(.registerAgent) == 1 { answerRegistration(on: stream) }
        }
    }

    private func cutMessage(_ method: AgentMethod) -> [UInt8]? {
        guard let pending = assemblers[method],
            let length = pending.getInteger(at: pending.readerIndex + 1, as: UInt32.self),
            let message = pending.getBytes(at: pending.readerIndex + 5, length: Int(length))
        else { return nil }
        assemblers[method]?.moveReaderIndex(forwardBy: 5 + message.count)
        return message
    }

    private func answerRegistration(on stream: HTTP2Stream) {
        var response = Banyandb_Fodc_V1_RegisterAgentResponse()
        response.success = true
        response.agentID = "some-id"
        response.heartbeatIntervalSeconds = 1
        if goesAway { session.goAway(.noError) }
        guard let bytes: [UInt8] = try? response.serializedBytes() else { return }
        session.send(ProxyMessageAssembler.framed(bytes), on: stream)
    }
}
