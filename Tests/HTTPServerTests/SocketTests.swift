// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore
import TestSupport
import Testing

@testable import HTTPServer

/// Behaviour that only shows on real sockets.
struct SocketTests {
    @Test func httpServer_keepsTheConnection() throws {
        let server = try LiveServer()
        let client = TestClient(server)
        for _ in 0..<3 {
            client.send(get("/hello"))
            #expect(client.receive(until: "hello\n").hasPrefix("HTTP/1.1 200"))
        }
        #expect(try server.statistics.connectionsAccepted == 1)
        #expect(try server.statistics.connectionsOpen == 1)
    }

    @Test func httpServer_answersPipelinedRequestsInOrder() throws {
        let server = try LiveServer()
        let client = TestClient(server)
        client.send((0..<200).map { get("/echo?n=\($0)") }.joined() + get("/hello", "Connection: close\r\n"))
        let (bytes, end) = client.receiveAll()
        #expect(end == .end)
        let numbers = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n\r\nn=").compactMap { answer in
            Int(answer.prefix { $0.isNumber })
        }
        #expect(numbers == Array(0..<200))
    }

    @Test func httpServer_buffersLittleForASlowReader() throws {
        let server = try LiveServer()
        let client = TestClient(server, receiveBufferBytes: 16 * 1024)
        let byteCount = 20 << 20
        client.send(get("/stream?bytes=\(byteCount)", "Connection: close\r\n"))
        #expect(try server.eventually { try server.isFullToTheMark })
        // The high water mark, a slice, what the kernel holds unsent and its buffers: far from all.
        #expect(try server.counts.producedBytes < 6 << 20)
        let (bytes, end) = client.receiveAll()
        #expect(end == .end)
        #expect(try dechunked(split(bytes).body) == patternBytes(0..<byteCount))
    }

    @Test func httpServer_resetsWhenABodyOfUnknownLengthFails() throws {
        // Its end is the connection's end: only a reset tells a part from the whole.
        let server = try LiveServer()
        let client = TestClient(server)
        client.send("GET /stream?bytes=100000&fail=50000 HTTP/1.0\r\n\r\n")
        #expect(client.receiveAll().end == .failed(ECONNRESET))
    }

    @Test func httpServer_tellsTheHandlerThatTheClientLeft() throws {
        let server = try LiveServer()
        do {
            let client = TestClient(server)
            client.send(get("/held"))
            #expect(try server.eventually { try server.counts.handled == ["/held"] })
        }
        #expect(try server.eventually { try server.counts.closed == 1 })
        try server.run { _, handler in
            #expect(handler.held[0].isClosed)
            handler.held[0].respond(status: 200, text: "nobody is there")
        }
        #expect(try server.counts.ends.map(\.status) == [0])
    }

    /// `nc -N` and the like: the answer is awaited, and what has been sent ahead of it is a part of it.
    @Test func httpServer_answersAHalfClosedClient() throws {
        let server = try LiveServer()
        let client = TestClient(server)
        client.send(get("/held") + get("/held") + get("/hello"))
        client.closeSending()
        for index in 0..<2 {
            #expect(try server.eventually { try server.counts.handled.count == index + 1 })
            #expect(try !server.run { _, handler in handler.held[index].isClosed })
            try server.run { _, handler in handler.held[index].respond(status: 200, text: "late \(index)") }
        }
        let (bytes, end) = client.receiveAll()
        #expect(end == .end)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(statuses(text) == [200, 200, 200])
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.contains("late 0\nHTTP/1.1 200 OK\r\n"))
        #expect(try server.eventually { try server.statistics.connectionsOpen == 0 })
    }

    @Test func httpServer_tellsTheStreamThatTheClientLeft() throws {
        let server = try LiveServer()
        do {
            let client = TestClient(server)
            client.send(get("/stream?bytes=\(50 << 20)"))
            _ = client.receive()
        }
        #expect(try server.eventually { try server.counts.closed == 1 })
    }

    @Test func httpServer_acceptsThatTheClientClosesFirst() throws {
        let server = try LiveServer()
        let client = TestClient(server)
        client.send(get("/hello") + get("/stream?bytes=\(4 << 20)") + get("/none"))
        client.closeSending()
        let (bytes, end) = client.receiveAll()
        #expect(end == .end)
        #expect(statuses(String(decoding: bytes, as: Unicode.ASCII.self)) == [200, 200, 404])
        #expect(try server.eventually { try server.statistics.connectionsOpen == 0 })
    }

    @Test func httpServer_deliversARefusalThoughMoreWasSent() throws {
        // Closing with unread input would reset the connection, and the client might never see the answer.
        let server = try LiveServer()
        let client = TestClient(server)
        client.send("GET /" + String(repeating: "x", count: 200_000))
        let (bytes, _) = client.receiveAll()
        #expect(statuses(String(decoding: bytes, as: UTF8.self)) == [414])
    }

    @Test func httpServer_closesTheLongestIdleConnectionAtTheLimit() throws {
        let server = try LiveServer { $0.maximumConnections = 3 }
        let clients = (0..<3).map { _ in TestClient(server) }
        for (index, client) in clients.enumerated() {
            client.send(get(index == 0 ? "/held" : "/hello"))
            #expect(try server.eventually { try server.counts.handled.count == index + 1 })
        }
        let newest = TestClient(server)
        newest.send(get("/hello"))
        #expect(newest.receive(until: "hello\n").hasPrefix("HTTP/1.1 200"))
        // The first is answering, the second was idle for longest.
        _ = clients[1].receive(until: "hello\n")
        #expect(clients[1].receive() == .end)
        clients[2].send(get("/none"))
        #expect(clients[2].receive(until: "no /none").contains("404"))
        #expect(try server.statistics.connectionsClosed == [.evicted: 1])
    }

    @Test func httpServer_queuesAConnectionWhenAllAreBusy() throws {
        let server = try LiveServer {
            $0.maximumConnections = 2
            $0.placesShareOfSource = 100
        }
        let busy = (0..<2).map { _ in TestClient(server) }
        for client in busy { client.send(get("/held")) }
        #expect(try server.eventually { try server.counts.handled.count == 2 })
        let waiting = (0..<10).map { _ in TestClient(server) }
        for client in waiting { client.send(get("/held", "Connection: close\r\n")) }
        #expect(try server.eventually { try server.run { server, _ in server.acceptGate?.isPaused == true } })
        // One burst of accepting may go beyond the limit.
        #expect(try server.statistics.connectionsAccepted <= 2 + UInt64(HTTPAcceptLimiter.acceptsPerTurn))
        #expect(
            try server.eventually {
                try server.run { _, handler in
                    for responder in handler.held { responder.respond(status: 200, text: "free") }
                    return handler.held.count == 12
                }
            })
        try server.run { _, handler in
            for responder in handler.held { responder.respond(status: 200, text: "free") }
        }
        for client in waiting { #expect(client.receiveAll().bytes.starts(with: Array("HTTP/1.1 200".utf8))) }
    }

    /// Readers that take next to nothing do not hold their places against others.
    @Test func httpServer_closesTheSlowestReadersAtTheLimit() throws {
        let server = try LiveServer {
            $0.maximumConnections = 3
            $0.placesShareOfSource = 100
            $0.writeTimeout = .minutes(10)
        }
        let slow = (0..<3).map { _ in TestClient(server, receiveBufferBytes: 16 * 1024) }
        for client in slow { client.send(get("/stream?bytes=\(50 << 20)")) }
        #expect(try server.eventually { try server.counts.handled.count == 3 })
        // More than one burst of accepting takes beyond the limit.
        let others = (0..<8).map { _ in TestClient(server) }
        for client in others { client.send(get("/held")) }
        #expect(try server.eventually { try server.statistics.connectionsClosed[.slowReader] == 3 })
        #expect(try server.run { _, handler in handler.held.count > 3 })
        #expect(try server.statistics.connectionsClosed == [.slowReader: 3])
    }

    @Test func httpServer_keepsTheReserveForReservedPaths() throws {
        let server = try LiveServer {
            $0.maximumConnections = 2
            $0.reservedPaths = ["/hello"]
            $0.placesShareOfSource = 100
        }
        let busy = (0..<2).map { _ in TestClient(server) }
        for client in busy { client.send(get("/held")) }
        #expect(try server.eventually { try server.counts.handled.count == 2 })
        let other = TestClient(server)
        other.send(get("/none"))
        let refused = String(decoding: other.receiveAll().bytes, as: UTF8.self)
        #expect(
            statuses(refused) == [503] && refused.contains("Retry-After: 5") && refused.contains("all 2 connections"))
        let monitor = TestClient(server)
        monitor.send(get("/hello") + get("/hello") + get("/none"))
        #expect(statuses(String(decoding: monitor.receiveAll().bytes, as: UTF8.self)) == [200, 200, 503])
        #expect(try server.statistics.rejections[.noPlace] == 2)
        // With places again nobody is refused.
        try server.run { _, handler in handler.held[0].respond(status: 200, text: "free") }
        _ = busy[0].receive(until: "free\n")
        let later = TestClient(server)
        later.send(get("/none"))
        #expect(later.receive(until: "no /none").contains("404"))
    }

    /// However many do not read: what waits for them stays within a bound, and a client that reads gets all.
    @Test func httpServer_boundsUnsentBytes() throws {
        let server = try LiveServer {
            $0.maximumUnsentBytes = 1 << 20
            $0.writeTimeout = .minutes(10)
        }
        let slow = (0..<20).map { _ in TestClient(server, receiveBufferBytes: 16 * 1024) }
        for client in slow { client.send(get("/stream?bytes=\(50 << 20)")) }
        #expect(try server.eventually { try server.counts.handled.count == 20 })
        #expect(try server.eventually { try server.run { server, _ in server.isShortOfMemory } })
        let most = try server.run { server, _ in server.unsentBytes }
        #expect(most < 3 << 20, "a slice of the usual size may be the one that goes beyond; the others are small")
        let reader = TestClient(server)
        reader.send(get("/sized?bytes=\(30 << 20)", "Connection: close\r\n"))
        let whole = try split(reader.receiveAll().bytes).body
        #expect(whole.count == 30 << 20)
    }

    @Test func httpServer_drainEndsIdleConnectionsAndWaitsForAnswers() throws {
        let server = try LiveServer()
        let idle = TestClient(server)
        idle.send(get("/hello"))
        _ = idle.receive(until: "hello\n")
        let busy = TestClient(server)
        busy.send(get("/held"))
        #expect(try server.eventually { try server.counts.handled.count == 2 })
        let drained = try server.run { server, _ in server.drain() }
        #expect(idle.receive() == .end)
        #expect(try server.statistics.connectionsOpen == 1)
        try server.run { _, handler in handler.held[0].respond(status: 200, text: "last") }
        let (bytes, end) = busy.receiveAll()
        #expect(end == .end)
        let answer = String(decoding: bytes, as: UTF8.self)
        #expect(answer.contains("Connection: close"))
        #expect(answer.hasSuffix("last\n"))
        // The client's own close ends it.
        try drained.wait()
    }

    /// A client whose connection was taken in the moment before has its request on its way: it is no idle one.
    @Test func httpServer_drainAnswersANewConnection() throws {
        let server = try LiveServer()
        let fresh = TestClient(server)
        #expect(try server.eventually { try server.statistics.connectionsOpen == 1 })
        let drained = try server.run { server, _ in server.drain() }
        fresh.send(get("/hello"))
        let (bytes, end) = fresh.receiveAll()
        #expect(end == .end)
        let answer = String(decoding: bytes, as: UTF8.self)
        #expect(answer.contains("Connection: close") && answer.hasSuffix("hello\n"))
        fresh.closeSending()
        try drained.wait()
    }

    @Test func httpServer_retiresWithOneMoreAnswerPerConnection() throws {
        let server = try LiveServer()
        let kept = TestClient(server)
        kept.send(get("/hello"))
        _ = kept.receive(until: "hello\n")
        let streaming = TestClient(server, receiveBufferBytes: 16 * 1024)
        streaming.send(get("/sized?bytes=\(8 << 20)"))
        #expect(try server.eventually { try server.counts.producedBytes > 0 })
        let busy = TestClient(server)
        busy.send(get("/held"))
        #expect(try server.eventually { try server.counts.handled.count == 3 })
        let retired = try server.run { server, _ in server.retire() }

        // A connection that waits in the queue is the successor's.
        let later = TestClient(server)
        later.send(get("/hello"))
        let accepted = server.accept()
        #expect(accepted >= 0)
        close(accepted)
        #expect(try server.statistics.connectionsOpen == 3)
        // An answer that had begun said that the connection stays: it does, for one more.
        var received = 0
        while received < 8 << 20, case .bytes(let bytes) = streaming.receive() { received += bytes.count }
        for client in [kept, streaming] {
            client.send(get("/hello"))
            let (bytes, end) = client.receiveAll()
            #expect(end == .end)
            let answer = String(decoding: bytes, as: UTF8.self)
            #expect(answer.contains("Connection: close") && answer.hasSuffix("hello\n"))
        }
        try server.run { _, handler in handler.held[0].respond(status: 200, text: "last") }
        #expect(String(decoding: busy.receiveAll().bytes, as: UTF8.self).contains("Connection: close"))
        for client in [kept, streaming, busy] { client.closeSending() }
        try retired.wait()
        #expect(try server.statistics.connectionsClosed[.shutdown] == nil)
    }

    @Test func httpServer_leavesTheListeningSocketOpen() throws {
        let server = try LiveServer()
        try server.run { server, _ in server.drain() }.wait()
        // The socket is not the server's: a connection made now waits for whoever accepts next.
        let client = TestClient(server)
        client.send(get("/hello"))
        let accepted = server.accept()
        #expect(accepted >= 0)
        close(accepted)
        // And the next one may be another server on the same socket.
        let descriptor = server.listeningDescriptor
        let successor = try LiveServer()
        try successor.run { server, _ in server.start(listeningDescriptor: descriptor) }.wait()
        let next = TestClient(server)
        next.send(get("/hello"))
        #expect(next.receive(until: "hello\n").hasPrefix("HTTP/1.1 200"))
    }

    @Test func httpServer_closeAllCutsAnswers() throws {
        let server = try LiveServer()
        let client = TestClient(server)
        client.send(get("/held"))
        #expect(try server.eventually { try server.counts.handled.count == 1 })
        try server.run { server, _ in server.closeAll() }
        #expect(client.receive() == .failed(ECONNRESET))
        #expect(try server.counts.closed == 1)
    }

    @Test func httpServer_completesOverlappingLargeAnswers() throws {
        // They are read one after the other: the last waits long.
        let server = try LiveServer { $0.writeTimeout = .minutes(10) }
        let clients = (0..<6).map { _ in TestClient(server) }
        for client in clients { client.send(get("/sized?bytes=3000000", "Connection: close\r\n")) }
        let expected = patternBytes(0..<3_000_000)
        for client in clients { #expect(try split(client.receiveAll().bytes).body == expected) }
    }
}
