// SPDX-License-Identifier: Apache-2.0
import HTTP2
import NIOCore
import NIOEmbedded

@testable import GRPCServer

/// A server on a loop whose time the test turns, and clients whose bytes are compacted by hand: nothing happens but what the
/// test lets happen. For tests without `await`, which stay on their thread.
final class EmbeddedGRPC {
    let loop = EmbeddedEventLoop()
    let service = ScriptedService()
    let server: GRPCServer
    private var wires: [Wire] = []

    /// As finely as the server tells the time.
    private static let step = GRPCServer.tick

    init(_ configuration: GRPCServer.Configuration = .init()) {
        server = GRPCServer(configuration: configuration, eventLoop: loop, service: service)
        server.startTicking()
    }

    deinit {
        server.closeAll()
        loop.run()
    }

    func connect(isFrozen: Bool = false) throws -> TestClient {
        let client = TestClient()
        client.isFrozen = isFrozen
        let wire = Wire(near: EmbeddedChannel(loop: loop), far: EmbeddedChannel(loop: loop), client: client)
        client.channel = wire.near
        try wire.near.pipeline.syncOperations.addHandler(TestClientHandler(client))
        try server.attach(wire.far)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        wire.far.connect(to: address, promise: nil)
        wire.near.connect(to: address, promise: nil)
        wires.append(wire)
        settle()
        return client
    }

    /// Opens a call and lets its bytes through.
    func open(
        _ path: String, by client: TestClient, _ changed: [String: String?] = [:], framed: [UInt8] = [],
        isEnd: Bool = false
    ) throws -> Int32 {
        let id = try client.open(path, changed, framed: framed, isEnd: isEnd)
        settle()
        return id
    }

    /// Carries bytes both ways until neither side has any that the other takes.
    func settle() {
        var hasMoved = true
        while hasMoved {
            loop.run()
            hasMoved = false
            for wire in wires where wire.carry() { hasMoved = true }
        }
    }

    /// Lets time pass, with everything that happens in it.
    func pass(_ time: TimeAmount) {
        let end = loop.now + time
        while loop.now < end {
            loop.advanceTime(to: min(end, loop.now + Self.step))
            settle()
        }
    }

    /// Lets time pass until something holds; `false`: it did not within `limit`.
    func pass(atMost limit: TimeAmount, until condition: () -> Bool) -> Bool {
        let end = loop.now + limit
        while !condition(), loop.now < end { pass(Self.step) }
        return condition()
    }
}

/// The wire between a client and the server. Bytes that one side does not read wait here, as in a socket.
private final class Wire {
    /// The client's end, and the server's.
    let near: EmbeddedChannel
    let far: EmbeddedChannel
    private let client: TestClient
    private var toServer: [ByteBuffer] = []
    private var toClient: [ByteBuffer] = []

    init(near: EmbeddedChannel, far: EmbeddedChannel, client: TestClient) {
        (self.near, self.far, self.client) = (near, far, client)
    }

    /// `false`: there was nothing that the other side takes.
    func carry() -> Bool {
        while let bytes = try? near.readOutbound(as: ByteBuffer.self) { toServer.append(bytes) }
        while let bytes = try? far.readOutbound(as: ByteBuffer.self) { toClient.append(bytes) }
        var hasMoved = false
        if far.isActive, far.isReadingByItself { hasMoved = hand(&toServer, to: far) }
        if near.isActive, !client.isFrozen { hasMoved = hand(&toClient, to: near) || hasMoved }
        // An end is seen by whoever has read all that came before it.
        if near.isActive, !far.isActive, toClient.isEmpty {
            near.close(promise: nil)
            hasMoved = true
        } else if far.isActive, !near.isActive, toServer.isEmpty {
            far.close(promise: nil)
            hasMoved = true
        }
        return hasMoved
    }

    private func hand(_ waiting: inout [ByteBuffer], to channel: EmbeddedChannel) -> Bool {
        guard !waiting.isEmpty else { return false }
        let bytes = waiting.removeFirst()
        channel.pipeline.fireChannelRead(bytes)
        channel.pipeline.fireChannelReadComplete()
        return true
    }
}

extension EmbeddedChannel {
    /// The last request to it, which it notes and otherwise passes over.
    fileprivate var isReadingByItself: Bool {
        let asked = options.last { $0.option is ChannelOptions.Types.AutoReadOption }
        return asked?.value as? Bool ?? true
    }
}
