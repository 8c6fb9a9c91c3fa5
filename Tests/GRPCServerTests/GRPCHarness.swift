// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Glibc
import HTTP2
import NIOCore
import NIOPosix
import TestSupport

/// A server on 127.0.0.1 and clients of it, all on one event loop, on which alone anything here is touched.
final class GRPCHarness: @unchecked Sendable {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop: any EventLoop
    let service = ScriptedService()
    let server: GRPCServer
    let port: Int
    let descriptor: Int32

    init(_ configuration: GRPCServer.Configuration, sharing other: GRPCHarness? = nil) async throws {
        let loop = group.next()
        self.loop = loop
        server = GRPCServer(
            configuration: Self.patient(configuration), eventLoop: loop, service: service)
        if let other {
            (descriptor, port) = (dup(other.descriptor), other.port)
        } else {
            (descriptor, port) = try GRPCHarness.listen()
        }
        try await loop.flatSubmit { [self] in server.start(listeningDescriptor: descriptor) }.get()
    }

    /// A test may wait for its turn among hundreds of others. The behaviour of connections as time passes is for
    /// ``EmbeddedGRPC``, whose clock the test turns.
    private static func patient(_ configuration: GRPCServer.Configuration) -> GRPCServer.Configuration {
        var configuration = configuration
        let hour = Duration.seconds(3600)
        (configuration.prefaceTimeout, configuration.idleTimeout, configuration.idleTimeoutWhenShort) = (
            hour, hour, hour
        )
        (configuration.keepaliveIdle, configuration.lingerTimeout) = (hour, hour)
        configuration.assemblyStallTimeout = hour
        return configuration
    }

    /// Runs a test against a server of its own.
    static func run(
        _ configuration: GRPCServer.Configuration = .init(), _ body: (GRPCHarness) async throws -> Void
    ) async throws {
        let harness = try await GRPCHarness(configuration)
        do {
            try await body(harness)
        } catch {
            try? await harness.stop()
            throw error
        }
        try await harness.stop()
    }

    func stop() async throws {
        try await onLoop { $0.server.closeAll() }
        close(descriptor)
        try await group.shutdownGracefully()
    }

    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (GRPCHarness) throws -> Result) async throws -> Result {
        try await loop.submit { try body(self) }.get()
    }

    /// Waits until the condition holds. The bound is only there so that a broken server does not hang the test.
    func eventually(
        _ what: String, _ condition: @escaping @Sendable (GRPCHarness) throws -> Bool
    ) async throws {
        for _ in 0..<6000 {
            if try await onLoop(condition) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw NeverHappened(what: what)
    }

    struct NeverHappened: Error { let what: String }

    func connect(isFrozen: Bool = false) async throws -> TestClient {
        let client = try await loop.flatSubmit { [self] in
            let client = NIOLoopBound(TestClient(), eventLoop: loop)
            client.value.isFrozen = isFrozen
            return ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        client.value.channel = channel
                        try channel.pipeline.syncOperations.addHandler(TestClientHandler(client.value))
                    }
                }
                .connect(host: "127.0.0.1", port: port)
                .map { _ in client.value }
        }.get()
        return client
    }

    /// One call whose request messages are given, up to its end.
    func call(
        _ path: String = "/t.T/Echo", _ changed: [String: String?] = [:], messages: [[UInt8]] = [], isEnd: Bool = true,
        by client: TestClient? = nil
    ) async throws -> CallResult {
        let used = if let client { client } else { try await connect() }
        let id = try await onLoop { _ in
            try used.open(path, changed, framed: messages.flatMap(GRPCHarness.frame), isEnd: isEnd)
        }
        try await eventually("end of the call \(path)") { _ in used.events.closed[id] != nil }
        return try await onLoop { _ in CallResult(used.events, id) }
    }

    static func frame(_ message: [UInt8]) -> [UInt8] {
        [0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: message.count >> (8 * $0)) } + message
    }

    private static func listen() throws -> (Int32, Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, length) == 0 && Glibc.listen(descriptor, 128) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isListening else { throw IOError(errnoCode: errno, reason: "listen") }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }
}

/// The default configuration with something changed.
func configured(_ change: (inout GRPCServer.Configuration) -> Void) -> GRPCServer.Configuration {
    var configuration = GRPCServer.Configuration()
    change(&configuration)
    return configuration
}

/// The answer to one call.
struct CallResult: Sendable {
    var headers: HTTP2Headers?
    var trailers: HTTP2Headers?
    var messages: [[UInt8]] = []
    var blockCount: Int

    init(_ events: RecordedEvents, _ id: Int32) {
        let blocks = events.headers[id] ?? []
        blockCount = blocks.count
        headers = blocks.first
        trailers = blocks.last
        var bytes = ByteBuffer(bytes: events.data[id] ?? [])
        while let _: UInt8 = bytes.readInteger(), let length: UInt32 = bytes.readInteger(),
            let message = bytes.readBytes(length: Int(length))
        {
            messages.append(message)
        }
    }

    var status: Int? { trailers?["grpc-status"].flatMap { Int($0) } }
    var message: String? { trailers?["grpc-message"] }
    var isTrailersOnly: Bool { blockCount == 1 && messages.isEmpty }
}

/// Does what the path says, and writes down what happens to each call.
final class ScriptedService: GRPCService {
    var calls: [GRPCCall] = []
    var received: [[UInt8]] = []
    var halfClosed = 0
    var ends: [GRPCCallEnd] = []
    var keepsMessages = true

    func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        guard ["/t.T/Echo", "/t.T/Sink", "/t.T/Status", "/t.T/Who", "/t.T/Stranger"].contains(call.path) else {
            return nil
        }
        calls.append(call)
        return Handler(call: call, service: self)
    }

    private final class Handler: GRPCCallHandler {
        let call: GRPCCall
        let service: ScriptedService
        let agentID: String?

        init(call: GRPCCall, service: ScriptedService) {
            self.call = call
            self.service = service
            agentID = call.metadata("agent_id")
            if call.path == "/t.T/Stranger" { call.keepsConnection = false }
        }

        func received(message: RawSpan) {
            let bytes = message.withUnsafeBytes { Array($0) }
            if service.keepsMessages { service.received.append(bytes) }
            switch call.path {
            case "/t.T/Echo": call.send(bytes)
            case "/t.T/Status":
                call.finish(
                    GRPCStatus(
                        .init(rawValue: Int(bytes.first ?? 0)), String(decoding: bytes.dropFirst(), as: UTF8.self)))
            case "/t.T/Who":
                call.send(Array((agentID ?? "nobody").utf8))
                call.send(Array(call.peer.utf8))
            default: break
            }
        }

        func halfClosed() {
            service.halfClosed += 1
            call.finish(.ok)
        }

        func closed(_ end: GRPCCallEnd) { service.ends.append(end) }
    }
}

/// A client of our own, that can also misbehave.
final class TestClient: @unchecked Sendable {
    let events = RecordedEvents()
    let session: HTTP2Session
    var channel: (any Channel)?
    var isConnected = true
    /// Takes nothing from the socket and answers nothing, as a stopped process.
    var isFrozen = false
    /// Takes everything and answers nothing.
    var isMute = false

    init() {
        do {
            session = try HTTP2Session(configuration: HTTP2Configuration(role: .client), delegate: events)
        } catch {
            fatalError("no memory for a test's session: \(error)")
        }
    }

    struct CannotOpen: Error {}

    func open(
        _ path: String, _ changed: [String: String?] = [:], framed: [UInt8] = [], isEnd: Bool = false
    ) throws -> Int32 {
        var fields: [String: String?] = [
            ":method": "POST", ":scheme": "http", ":path": path, ":authority": "test",
            "content-type": "application/grpc", "te": "trailers",
        ]
        fields.merge(changed) { $1 }
        var headers = HTTP2Headers()
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            if let value { headers.add(name, value) }
        }
        guard let stream = session.open(headers, isEnd: false, delegate: events) else { throw CannotOpen() }
        streams[stream.id] = stream
        session.send(ByteBuffer(bytes: framed), on: stream, isEnd: isEnd)
        flush()
        return stream.id
    }

    var streams: [Int32: HTTP2Stream] = [:]

    func send(_ bytes: [UInt8], on id: Int32, isEnd: Bool = false) {
        guard let stream = streams[id] else { return }
        session.send(ByteBuffer(bytes: bytes), on: stream, isEnd: isEnd)
        flush()
    }

    func cancel(_ id: Int32) {
        guard let stream = streams[id] else { return }
        session.reset(stream, .cancel)
        flush()
    }

    func flush() {
        guard let channel, !isFrozen, !isMute else { return }
        var buffer = ByteBuffer()
        // A test's client has no need to bound what it hands to the socket.
        guard (try? session.send(into: &buffer, upTo: .max)) != nil, buffer.readableBytes > 0 else { return }
        channel.writeAndFlush(buffer, promise: nil)
    }

    func writeRaw(_ bytes: [UInt8]) {
        channel?.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }
}

final class TestClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let client: TestClient

    init(_ client: TestClient) { self.client = client }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !client.isFrozen else { return }
        let buffer = unwrapInboundIn(data)
        try? client.session.receive(buffer.readableBytesSpan)
    }

    func channelReadComplete(context: ChannelHandlerContext) { client.flush() }

    func channelInactive(context: ChannelHandlerContext) {
        client.isConnected = false
        client.session.abandon(.internalError)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
