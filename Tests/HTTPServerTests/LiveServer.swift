// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore
import NIOPosix
import TestSupport

@testable import HTTPServer

/// A server on a thread of its own, with a socket on 127.0.0.1 that the test has opened.
final class LiveServer: Sendable {
    let port: UInt16
    let listeningDescriptor: Int32
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let parts: NIOLoopBound<(server: HTTPServer, handler: TestHandler)>

    init(configure: @escaping @Sendable (inout HTTPServer.Configuration) -> Void = { _ in }) throws {
        (listeningDescriptor, port) = openListener()
        let loop = group.next()
        let descriptor = listeningDescriptor
        parts = try loop.submit {
            let handler = TestHandler()
            var configuration = HTTPServer.Configuration()
            configuration.onRequestEnd = { end in handler.counts.withLock { $0.ends.append(end) } }
            configure(&configuration)
            let server = HTTPServer(
                configuration: configuration, eventLoop: loop, handler: handler, logger: Logger(label: "test"))
            return NIOLoopBound((server: server, handler: handler), eventLoop: loop)
        }.wait()
        try run { server, _ in server.start(listeningDescriptor: descriptor) }.wait()
    }

    deinit {
        try? run { server, _ in
            server.stopAccepting()
            server.closeAll()
        }
        close(listeningDescriptor)
        group.shutdownGracefully { _ in }
    }

    /// Does something on the server's loop.
    @discardableResult
    func run<Value: Sendable>(_ body: @escaping @Sendable (HTTPServer, TestHandler) throws -> Value) throws -> Value {
        try group.next().submit { [parts] in try body(parts.value.server, parts.value.handler) }.wait()
    }

    var statistics: HTTPStatistics {
        get throws { try run { server, _ in server.statistics } }
    }

    var counts: TestHandler.Counts {
        get throws { try run { _, handler in handler.counts.withLock { $0 } } }
    }

    /// The bytes that wait for the first connection are as many as are made ahead: the kernel has taken all that it takes.
    var isFullToTheMark: Bool {
        get throws { try run { server, _ in server.unsentBytes >= server.configuration.highWaterMarkBytes } }
    }

    /// Takes a connection out of the socket's queue itself; waits until there is one.
    func accept() -> Int32 {
        var request = pollfd(fd: listeningDescriptor, events: Int16(POLLIN), revents: 0)
        // A defect must not hang the tests.
        guard poll(&request, 1, 30_000) == 1 else { return -1 }
        return Glibc.accept(listeningDescriptor, nil, nil)
    }

    /// Waits until something holds; false after half a minute, which only a defect takes.
    func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<3000 {
            if try condition() { return true }
            usleep(10_000)
        }
        return false
    }
}

/// A blocking client that does what it is told, also the wrong thing.
final class TestClient {
    private let descriptor: Int32

    /// A small receive buffer makes a slow reader felt early.
    init(_ server: LiveServer, receiveBufferBytes: Int32? = nil) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if var size = receiveBufferBytes { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        // A defect must not hang the tests.
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = server.port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(result == 0)
    }

    deinit {
        close(descriptor)
    }

    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let sent = bytes[start...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            start += sent
        }
        return true
    }

    func closeSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    enum Piece: Equatable {
        case bytes([UInt8])
        case end
        case failed(Int32)
    }

    func receive(upTo limit: Int = 65_536) -> Piece {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &bytes, limit, 0)
        if count < 0 { return .failed(errno) }
        return count == 0 ? .end : .bytes(Array(bytes.prefix(count)))
    }

    /// Everything until the connection ends; also how it ended.
    func receiveAll() -> (bytes: [UInt8], end: Piece) {
        var all: [UInt8] = []
        while true {
            switch receive() {
            case .bytes(let bytes): all += bytes
            case let end: return (all, end)
            }
        }
    }

    /// Until the text is in what was received.
    func receive(until text: String) -> String {
        var all: [UInt8] = []
        while !String(decoding: all, as: UTF8.self).contains(text), case .bytes(let bytes) = receive() { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }
}
