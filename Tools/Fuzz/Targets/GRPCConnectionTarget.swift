// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2
import NIOCore
import NIOEmbedded

@testable import GRPCServer

// A whole gRPC server with one connection: a client that does what the input says, raw bytes in between, time that
// passes, and a service that holds, answers and ends calls.

extension FuzzTarget {
    static let grpcConnection = FuzzTarget("grpc-connection", limitBytes: 2048, seeds: GRPCSeeds.all) { bytes in
        let run = try GRPCRun()
        var input = FuzzInput(bytes)
        while !input.isAtEnd { try run.step(&input) }
        try run.end()
    }
}

private final class GRPCRun {
    private static let mostStreams = 32

    private let loop = EmbeddedEventLoop()
    private let service = RecordingService()
    private let server: GRPCServer
    private let channel: EmbeddedChannel
    private let client: HTTP2Session
    private let events = ClientEvents()
    private var streams: [HTTP2Stream] = []
    /// The bytes that the client has sent on each stream, as gRPC's framing has them.
    private var sent: [Int32: [UInt8]] = [:]
    /// Bytes that no client of ours would send: what the service gets is anybody's then.
    private var hasRawBytes = false
    private var isClientOver = false

    init() throws {
        var configuration = GRPCServer.Configuration()
        configuration.maxMessageBytes = 512
        configuration.assemblyBudgetBytes = 1024
        configuration.streamWindowBytes = 256
        configuration.raisedStreamWindowBytes = 1024
        configuration.connectionWindowBytes = 64 << 10
        configuration.maxConcurrentStreams = 8
        server = GRPCServer(configuration: configuration, eventLoop: loop, service: service)
        server.startTicking()
        channel = EmbeddedChannel(loop: loop)
        client = try HTTP2Session(configuration: .init(role: .client), delegate: events)
        try server.attach(channel)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        loop.run()
    }

    func step(_ input: inout FuzzInput) throws {
        switch input.below(16) {
        case 0, 1, 2: open(&input)
        case 3, 4, 5, 6: send(&input)
        case 7: pick(&input).map { client.end($0, trailers: [:]) }
        case 8: pick(&input).map { client.reset($0, .cancel) }
        case 9:
            hasRawBytes = true
            try deliver(input.piece())
        case 10: loop.advanceTime(by: .milliseconds(Int64(1 + input.below(12_000))))
        case 11: service.act(&input)
        case 12: if input.flag() { server.pauseReading() } else { server.resumeReading() }
        case 13: client.ping(payload: input.word())
        case 14: if input.below(8) == 0 { server.drain() } else { server.makeRoom() }
        default: events.creditsData.toggle()
        }
        try exchange()
    }

    private func pick(_ input: inout FuzzInput) -> HTTP2Stream? {
        let index = input.below(Self.mostStreams)
        return index < streams.count ? streams[index] : nil
    }

    private static let paths = ["/t.T/Known", "/t.T/Unknown", "", "/t.T/Finished"]
    private static let timeouts: [String?] = [nil, "1S", "100m", "99999999H", "x", "-1S", "0n"]
    private static let types = ["application/grpc", "application/grpc+proto", "text/plain"]

    private func open(_ input: inout FuzzInput) {
        guard streams.count < Self.mostStreams else { return }
        var headers: HTTP2Headers = [":method": input.below(8) == 7 ? "GET" : "POST", ":scheme": "http"]
        headers.add(":path", Self.paths[input.below(Self.paths.count)])
        headers.add(":authority", "test")
        headers.add("content-type", Self.types[min(Self.types.count - 1, input.below(16) / 7)])
        headers.add("te", "trailers")
        if let timeout = Self.timeouts[input.below(Self.timeouts.count)] { headers.add("grpc-timeout", timeout) }
        if input.below(8) == 1 { headers.add("grpc-encoding", "gzip") }
        guard let stream = client.open(headers, isEnd: input.below(8) == 1, delegate: events) else { return }
        streams.append(stream)
    }

    private func send(_ input: inout FuzzInput) {
        guard let stream = pick(&input), !stream.isClosed else { return }
        let isFramed = input.below(4) > 0
        let message = input.flag() ? input.piece() : [UInt8](repeating: input.byte(), count: input.below(700))
        let bytes = isFramed ? GRPCSeeds.frame(message) : message
        sent[stream.id, default: []] += bytes
        client.send(ByteBuffer(bytes: bytes), on: stream, isEnd: input.below(16) == 1)
    }

    /// Bytes to the server, as a socket hands them over.
    private func deliver(_ bytes: [UInt8]) throws {
        guard channel.isActive, !bytes.isEmpty else { return }
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
        channel.pipeline.fireChannelReadComplete()
        loop.run()
    }

    /// Carries bytes both ways until no bytes are left.
    private func exchange() throws {
        for _ in 0..<64 {
            loop.run()
            var moved = false
            var fromClient = ByteBuffer()
            if !isClientOver {
                do { try client.send(into: &fromClient, upTo: 1 << 16) } catch { isClientOver = true }
            }
            if fromClient.readableBytes > 0 {
                moved = true
                try deliver(Array(fromClient.readableBytesView))
            }
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
                moved = true
                guard !isClientOver else { continue }
                do { try client.receive(bytes.readableBytesSpan) } catch {
                    isClientOver = true
                    try hold(hasRawBytes, "the server sends what is no HTTP/2: \(error)")
                }
            }
            if !moved { return }
        }
    }

    func end() throws {
        try exchange()
        try checkMessages()
        let used = server.budget.usedBytes
        try hold(used <= 2 * server.budget.limitBytes, "unfinished messages have \(used) bytes")
        // Nobody says anything any more: the limits of time pass that there are for that.
        server.resumeReading()
        loop.advanceTime(by: .seconds(35))
        try exchange()
        server.closeAll()
        loop.run()
        client.abandon(.internalError)
        try hold(server.budget.usedBytes == 0 && server.budget.turn == nil, "memory of unfinished messages is leaked")
        try hold(server.connectionCount == 0, "\(server.connectionCount) connections are left")
        let closed = GRPCConnectionEnd.allCases.reduce(0) { $0 + server.statistics.connectionsClosed($1) }
        try hold(closed == 1, "the connection was closed \(closed) times")
        for call in service.calls { try hold(call.ends == 1, "a call ended \(call.ends) times") }
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    /// The service gets what the client has sent, in order.
    private func checkMessages() throws {
        guard !hasRawBytes else { return }
        for call in service.calls {
            let received = call.messages.flatMap(GRPCSeeds.frame)
            let wanted = sent[call.streamID] ?? []
            try hold(wanted.starts(with: received), "stream \(call.streamID): the service gets what nobody has sent")
        }
    }
}

private final class RecordingService: GRPCService {
    private(set) var calls: [RecordingCall] = []

    func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        if call.path.hasSuffix("Finished") { call.finish(.ok) }
        guard call.path.hasSuffix("Known") else { return nil }
        let recording = RecordingCall(call)
        calls.append(recording)
        return recording
    }

    /// Does with a call what a service does of its own accord.
    func act(_ input: inout FuzzInput) {
        let index = input.below(32)
        guard index < calls.count else { return }
        let call = calls[index].call
        switch input.below(8) {
        case 0: call.isHeld.toggle()
        case 1: call.finish(.ok)
        case 2: call.sendHeaders()
        case 3: call.send([UInt8](repeating: 1, count: input.below(1 << 12)))
        case 4: call.keepsConnection.toggle()
        case 5: call.maxMessageBytes = input.below(1024)
        case 6: call.refuse(GRPCStatus(.invalidArgument, "refused ü%"), countAs: .assemblyExhausted)
        default: call.connection.ping(timeout: .seconds(1)) { _ in }
        }
    }
}

private final class RecordingCall: GRPCCallHandler {
    let call: GRPCCall
    let streamID: Int32
    private(set) var messages: [[UInt8]] = []
    private(set) var ends = 0

    init(_ call: GRPCCall) {
        self.call = call
        streamID = call.stream.id
    }

    func received(message: RawSpan) { messages.append(message.withUnsafeBytes { Array($0) }) }
    func halfClosed() { call.finish(.ok) }
    func closed(_ end: GRPCCallEnd) { ends += 1 }
}

private final class ClientEvents: HTTP2SessionDelegate, HTTP2StreamDelegate {
    var creditsData = true
    private weak var session: HTTP2Session?

    func session(_ session: HTTP2Session, opened stream: HTTP2Stream, headers: HTTP2Headers) {}
    func session(_ session: HTTP2Session, receivedPingAnswer payload: UInt64) {}
    func session(_ session: HTTP2Session, receivedGoAway error: HTTP2ErrorCode, lastStreamID: Int32) {}
    func sessionReceivedSettings(_ session: HTTP2Session) { self.session = session }
    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers, isEnd: Bool) {}
    func streamReceivedEnd(_ stream: HTTP2Stream) {}
    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd) {}

    func stream(_ stream: HTTP2Stream, received data: RawSpan) {
        guard creditsData else { return }
        session?.credit(stream, bytes: data.byteCount)
        session?.creditConnection(bytes: data.byteCount)
    }
}

enum GRPCSeeds {
    static func frame(_ message: [UInt8]) -> [UInt8] {
        [0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: message.count >> (8 * $0)) } + message
    }

    /// Operations: see ``GRPCRun/step(_:)``.
    private static let openKnown: [UInt8] = [0, 0, 0, 0, 0, 0, 0]
    private static func send(_ stream: UInt8, _ count: UInt8) -> [UInt8] {
        [3, stream, 1, 1, count, 0] + Array(0..<count)
    }
    private static func pass(_ milliseconds: Int) -> [UInt8] {
        [10, UInt8(milliseconds & 0xff), UInt8(milliseconds >> 8)]
    }

    static let all: [[UInt8]] = [
        openKnown + send(0, 3) + send(0, 0) + [7, 0],
        openKnown + openKnown + send(1, 100) + [11, 1, 0] + send(1, 200) + [11, 1, 0] + [8, 0] + pass(3000),
        openKnown + [3, 0, 0, 1, 4, 0, 0, 0, 0, 9] + pass(9000) + pass(9000) + pass(9000),
        openKnown + [11, 0, 3, 0, 8] + [15] + [11, 0, 3, 0, 15] + [12, 1] + send(0, 9) + [12, 0] + [14, 0] + pass(2000),
        [0, 0, 0, 0, 0, 1, 0] + send(0, 5) + pass(1500) + openKnown + [9, 9, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0] + [13, 1],
        (0..<9).flatMap { _ in openKnown } + (0..<9).flatMap { [3, $0, 0, 1, 6, 0, 0, 0, 0, 1, 0x90, 1] },
    ]
}
