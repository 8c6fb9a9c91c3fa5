// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Platform
import Testing

@testable import SupervisorCore

/// The control socket in a folder of its own, with its event loop turned by hand and a clock that stands still.
private final class ServerUnderTest {
    let folder: String
    let events: EventQueue
    var server: ControlServer
    var now: UInt64 = 1_000_000_000
    var requests: [(request: ControlRequest, reply: ControlReply)] = []
    var refusals: [String] = []
    static let firstToken: UInt64 = 100

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("fodc-ctl-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        events = try EventQueue()
        server = try ControlServer(runtimeDirectory: folder, events: events, firstToken: Self.firstToken)
        listen()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func listen() {
        // The closures live as long as the server, which lives as long as this object.
        server.onRequest = { [unowned self] in requests.append(($0, $1)) }
        server.onRefusal = { [unowned self] in refusals.append($0) }
    }

    var path: String { ControlServer.path(runtimeDirectory: folder) }

    /// Handles all that is there, and what follows from that.
    func turn() throws {
        var isBusy = true
        while isBusy {
            isBusy = false
            try events.wait(timeoutMilliseconds: 0) { token in
                isBusy = true
                server.handleReadable(token, nowNanoseconds: now)
            }
        }
    }

    func connect() throws -> Int32 {
        let connection = try LocalSocket.connect(path: path)
        try MessageSocket.setNonblocking(connection)
        try turn()
        return connection
    }

    func send(_ bytes: [UInt8], on connection: Int32) throws {
        _ = try LocalSocket.send(bytes[...], on: connection)
        try turn()
    }

    func ask(_ request: ControlRequest) throws -> Int32 {
        let connection = try connect()
        try send(ControlFrames.encode(fields: request.fields), on: connection)
        return connection
    }

    /// The answer so far, and whether the connection has ended.
    func answer(_ connection: Int32) throws -> (text: String, error: String, code: UInt8?, isClosed: Bool) {
        var bytes: ArraySlice<UInt8> = []
        var isClosed = false
        while true {
            guard case .bytes(let more) = try LocalSocket.receive(on: connection, limitBytes: 1 << 16) else { break }
            bytes += more
        }
        if case .end = try LocalSocket.receive(on: connection, limitBytes: 1) { isClosed = true }
        var (text, error): ([UInt8], [UInt8]) = ([], [])
        var code: UInt8?
        while let (answer, byteCount) = try ControlFrames.decodeAnswer(bytes) {
            bytes = bytes.dropFirst(byteCount)
            switch answer {
            case .output(let piece): text += piece
            case .error(let piece): error += piece
            case .end(let exitCode): code = exitCode
            }
        }
        return (String(decoding: text, as: UTF8.self), String(decoding: error, as: UTF8.self), code, isClosed)
    }
}

@Suite struct ControlServerTests {
    @Test func controlServer_answersARequest() throws {
        let test = try ServerUnderTest()
        let connection = try test.ask(.scale(3))
        defer { close(connection) }
        #expect(test.requests.map(\.request) == [.scale(3)])
        let reply = test.requests[0].reply
        #expect(reply.isOpen)
        reply.output("one\n")
        reply.error("two\n")
        reply.succeed("three")
        #expect(!reply.isOpen)
        let (text, error, code, _) = try test.answer(connection)
        #expect(text == "one\nthree\n" && error == "two\n" && code == 0)
        reply.fail("too late")
        test.server.tick(nowNanoseconds: test.now)
        #expect(try test.answer(connection).isClosed)
    }

    @Test func controlServer_answersWaitingClientsAndAcceptsNoneWhilePaused() throws {
        let test = try ServerUnderTest()
        let request = ControlFrames.encode(fields: ControlRequest.scale(3).fields)
        let (waiting, early) = (try test.ask(.scale(2)), try test.connect())
        defer { for connection in [waiting, early] { close(connection) } }
        #expect(!test.server.isQuiet)
        test.server.hold()
        let late = try test.connect()
        defer { close(late) }
        try test.send(request, on: late)
        test.server.tick(nowNanoseconds: test.now)
        try test.turn()
        #expect(test.requests.map(\.request) == [.scale(2)] && !test.server.isQuiet)
        try test.send(request, on: early)
        #expect(test.requests.map(\.request) == [.scale(2), .scale(3)])
        test.requests[1].reply.succeed()
        test.server.tick(nowNanoseconds: test.now)
        // A request that waits for an outcome is handed over.
        #expect(test.server.isQuiet)
        test.server.resume()
        try test.turn()
        #expect(test.requests.count == 3)
    }

    @Test func controlServer_closesASilentClientAfterALimitedTime() throws {
        let test = try ServerUnderTest()
        let silent = try test.connect()
        defer { close(silent) }
        test.server.hold()
        test.now += ControlServer.requestLimitNanoseconds
        test.server.tick(nowNanoseconds: test.now)
        #expect(test.server.isQuiet)
        #expect(try test.answer(silent).error.contains("within 2 s"))
    }

    @Test func controlServer_answersAFailureWithItsReason() throws {
        let test = try ServerUnderTest()
        let connection = try test.ask(.drain(WorkerName(.exporter)))
        defer { close(connection) }
        test.requests[0].reply.fail("no such worker")
        let (_, error, code, _) = try test.answer(connection)
        #expect(error == "fodc-proxy: no such worker\n" && code == 1)
    }

    @Test func controlServer_socketIsForItsOwnerOnly() throws {
        let test = try ServerUnderTest()
        var status = stat()
        #expect(lstat(test.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600 && status.st_uid == geteuid())
        #expect(fcntl(test.server.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func controlServer_replacesAnOldSocketFile() throws {
        let test = try ServerUnderTest()
        let second = try ControlServer(
            runtimeDirectory: test.folder, events: EventQueue(), firstToken: ServerUnderTest.firstToken)
        let connection = try LocalSocket.connect(path: test.path)
        defer { close(connection) }
        second.close(runtimeDirectory: test.folder)
        #expect(throws: SystemError.self) { try LocalSocket.connect(path: test.path) }
    }

    @Test func controlServer_rejectsMalformedRequests() throws {
        let nonsense: [[UInt8]] = [
            ControlFrames.encode(fields: ["nonsense"]), ControlFrames.encode(fields: ["scale", "0"]),
            ControlFrames.encode(fields: []), [255, 255, 255, 255], [2, 0, 0, 0, 0xC3, 0x28],
            ControlFrames.encode(fields: ["status"]) + [1],
        ]
        for bytes in nonsense {
            let test = try ServerUnderTest()
            let connection = try test.connect()
            defer { close(connection) }
            try test.send(bytes, on: connection)
            let (_, error, code, isClosed) = try test.answer(connection)
            #expect(test.requests.isEmpty && test.refusals.count == 1)
            #expect(error.hasPrefix("fodc-proxy: ") && error.hasSuffix("\n") && code != nil && code != 0 && isClosed)
        }
    }

    /// Needs root, to be somebody else for once; and the mode of the socket out of the way, which keeps others out before.
    @Test(
        .enabled(if: geteuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0 && access("/usr/bin/python3", X_OK) == 0))
    func controlServer_refusesAnotherUser() throws {
        let test = try ServerUnderTest()
        chmod(test.path, 0o666)
        chmod(test.folder, 0o755)
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        other.arguments = [
            "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
            """
            import socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[1])
            while data := s.recv(4096):
                sys.stdout.buffer.write(data)
            """, test.path,
        ]
        let output = Pipe()
        other.standardOutput = output
        try other.run()
        while test.refusals.isEmpty, other.isRunning {
            try test.events.wait(timeoutMilliseconds: 100) {
                test.server.handleReadable($0, nowNanoseconds: test.now)
            }
        }
        other.waitUntilExit()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(said.contains("fodc-proxy: permission denied for user 65534: run as root or user 0\n"))
        #expect(test.requests.isEmpty && test.refusals.count == 1)
    }

    @Test func controlServer_closesOnASecondRequest() throws {
        let test = try ServerUnderTest()
        let connection = try test.ask(.scale(3))
        defer { close(connection) }
        try test.send(ControlFrames.encode(fields: ["status"]), on: connection)
        #expect(test.requests.count == 1 && test.refusals.count == 1)
        #expect(!test.requests[0].reply.isOpen)
        #expect(try test.answer(connection).isClosed)
    }

    @Test func controlServer_timesOutAnIncompleteRequest() throws {
        let test = try ServerUnderTest()
        let connection = try test.connect()
        defer { close(connection) }
        try test.send(Array(ControlFrames.encode(fields: ["status"]).dropLast()), on: connection)
        test.now += ControlServer.requestLimitNanoseconds - 1
        test.server.tick(nowNanoseconds: test.now)
        #expect(try !test.answer(connection).isClosed)
        test.now += 1
        test.server.tick(nowNanoseconds: test.now)
        let (_, error, code, isClosed) = try test.answer(connection)
        #expect(error.contains("2 s") && code == 1 && isClosed && test.refusals.count == 1)
    }

    @Test func controlServer_doesNotTimeOutWhileARequestIsHandled() throws {
        let test = try ServerUnderTest()
        let connection = try test.ask(.scale(3))
        defer { close(connection) }
        test.now += 3600 * 1_000_000_000
        test.server.tick(nowNanoseconds: test.now)
        #expect(test.requests[0].reply.isOpen)
        test.requests[0].reply.succeed()
        #expect(try test.answer(connection).code == 0)
    }

    @Test func controlServer_acceptsARequestInPieces() throws {
        let test = try ServerUnderTest()
        let connection = try test.connect()
        defer { close(connection) }
        for byte in ControlFrames.encode(fields: ["scale", "12"]) { try test.send([byte], on: connection) }
        #expect(test.requests.map(\.request) == [.scale(12)])
    }

    @Test func controlServer_forgetsAClientThatLeaves() throws {
        let test = try ServerUnderTest()
        close(try test.ask(.scale(3)))
        try test.turn()
        let reply = test.requests[0].reply
        #expect(!reply.isOpen && reply.descriptor == nil)
        reply.succeed("nobody hears")
        // Its place is free again.
        for _ in 0..<ControlServer.limitConnections * 2 {
            close(try test.ask(.status(isJSON: true)))
            try test.turn()
        }
        #expect(test.requests.count == 1 + ControlServer.limitConnections * 2 && test.refusals.isEmpty)
    }

    @Test func controlServer_limitsConnections() throws {
        let test = try ServerUnderTest()
        var connections: [Int32] = []
        defer {
            for connection in connections { close(connection) }
        }
        for _ in 0..<ControlServer.limitConnections { connections.append(try test.ask(.status(isJSON: false))) }
        connections.append(try test.connect())
        let (_, error, code, isClosed) = try test.answer(connections[ControlServer.limitConnections])
        #expect(error.contains("\(ControlServer.limitConnections) other requests") && code == 1 && isClosed)
        #expect(test.requests.count == ControlServer.limitConnections)
        test.requests[0].reply.succeed()
        test.server.tick(nowNanoseconds: test.now)
        connections.append(try test.ask(.status(isJSON: false)))
        #expect(test.requests.count == ControlServer.limitConnections + 1)
    }

    @Test func controlServer_closesAClientThatDoesNotRead() throws {
        let test = try ServerUnderTest()
        let connection = try test.ask(.status(isJSON: false))
        defer { close(connection) }
        let reply = test.requests[0].reply
        let piece = String(repeating: "x", count: 100_000)
        for _ in 0..<100 where reply.isOpen { reply.output(piece) }
        #expect(!reply.isOpen)
    }

    @Test func controlServer_waitsForALongAnswerToBeRead() throws {
        let test = try ServerUnderTest()
        let connection = try test.ask(.status(isJSON: false))
        defer { close(connection) }
        let text = String(repeating: "x", count: 700_000)
        test.requests[0].reply.output(text)
        test.requests[0].reply.succeed()
        // It does not fit into the socket at once; the ticks bring it.
        var received = ""
        var code: UInt8?
        var bytes: ArraySlice<UInt8> = []
        while code == nil, case .bytes(let more) = try LocalSocket.receive(on: connection, limitBytes: 1 << 16) {
            bytes += more
            test.server.tick(nowNanoseconds: test.now)
            while let (answer, byteCount) = try ControlFrames.decodeAnswer(bytes) {
                bytes = bytes.dropFirst(byteCount)
                switch answer {
                case .output(let piece): received += String(decoding: piece, as: UTF8.self)
                case .error: break
                case .end(let exitCode): code = exitCode
                }
            }
        }
        #expect(received == text && code == 0)
    }

    @Test func controlServer_continuesAfterAnExec() throws {
        let test = try ServerUnderTest()
        let connection = try test.ask(.scale(5))
        defer { close(connection) }
        // As it is after an exec: new objects on descriptors that were there.
        let owed = dup(try #require(test.requests[0].reply.descriptor))
        let listening = dup(test.server.descriptor)
        let events = try EventQueue()
        let server = try ControlServer(adopting: listening, events: events, firstToken: ServerUnderTest.firstToken)
        let reply = try #require(server.adoptReply(owed))
        #expect(fcntl(owed, F_GETFD) & FD_CLOEXEC != 0 && fcntl(listening, F_GETFD) & FD_CLOEXEC != 0)
        reply.succeed("done")
        let (text, _, code, _) = try test.answer(connection)
        #expect(text == "done\n" && code == 0)
        #expect(throws: StartError.self) {
            try ControlServer(adopting: owed, events: events, firstToken: ServerUnderTest.firstToken)
        }
    }

    @Test func controlServer_reportsAPathThatIsTooLong() throws {
        let folder = "/tmp/" + String(repeating: "x", count: 120)
        let error = #expect(throws: StartError.self) {
            try ControlServer(runtimeDirectory: folder, events: EventQueue(), firstToken: 0)
        }
        #expect(error?.description.contains("--runtime-dir") == true)
    }

    // MARK: The client

    @Test func controlClient_printsTheAnswer() throws {
        let test = try ServerUnderTest()
        let folder = test.folder
        // The client waits, and the threads of Swift's tasks are few: this one may be the last.
        let thread = try JobThread(name: "client")
        let asked = AwaitedValue<(text: String, error: String, code: Int32?)>()
        thread.run {
            var (text, error) = ("", "")
            let code = try? ControlClient.ask(.status(isJSON: true), runtimeDirectory: folder) { bytes, isError in
                if isError {
                    error += String(decoding: bytes, as: UTF8.self)
                } else {
                    text += String(decoding: bytes, as: UTF8.self)
                }
            }
            asked.set((text, error, code))
        }
        thread.stop()
        while test.requests.isEmpty {
            try test.events.wait(timeoutMilliseconds: 100) {
                test.server.handleReadable($0, nowNanoseconds: test.now)
            }
        }
        test.requests[0].reply.output("{}\n")
        test.requests[0].reply.fail("no")
        let (text, error, code) = asked.wait()
        #expect(text == "{}\n" && error == "fodc-proxy: no\n" && code == 1)
    }

    @Test func controlClient_explainsAMissingSocket() throws {
        let error = #expect(throws: ControlClient.Failure.self) {
            try ControlClient.ask(.scale(1), runtimeDirectory: "/nowhere/at/all") { _, _ in }
        }
        #expect(
            error?.description.contains("no control socket at /nowhere/at/all/control.sock: is fodc-proxy running")
                == true)
    }
}
