// SPDX-License-Identifier: Apache-2.0
import Credentials
import Glibc
import HTTPServer
import Logging
import NIOCore
import NIOPosix
import Platform
import TestSupport
import Testing
import TransportSecurity

@testable import HTTPAccess
@testable import WebConfig

/// Answers with its path.
private final class Endpoints: HTTPRequestHandler {
    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        responder.respond(status: 200, text: "served \(request.path)")
    }
}

/// A gate behind a server on 127.0.0.1, asked through sockets.
private final class GatedServer {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let thread: JobThread
    private let parts: NIOLoopBound<(server: HTTPServer, gate: AccessGate)>
    private let descriptor: Int32
    private let port: UInt16

    init(config: String = "{}", tokens: String? = nil, healthRequiresCredentials: Bool = false) throws {
        let loop = group.next()
        let thread = try JobThread(name: "test-bcrypt")
        self.thread = thread
        (descriptor, port) = Self.listen()
        let config = try Self.config(config)
        let tokens = try tokens.map { try Self.tokens($0) }
        let listening = descriptor
        parts = try loop.submit {
            let gate = AccessGate(
                inner: Endpoints(), loop: loop, thread: thread,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                healthRequiresCredentials: healthRequiresCredentials
            ) { _, responder in responder.respond(status: 200, text: "public") }
            gate.refusalPage = { request, responder, refusal in
                guard request.path == "/page" else { return false }
                responder.respond(status: refusal.status, text: "a page: \(refusal.text)", headers: refusal.fields)
                return true
            }
            gate.use(config)
            if let tokens { gate.use(tokens) }
            let server = HTTPServer(
                configuration: HTTPServer.Configuration(), eventLoop: loop, handler: gate,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            return NIOLoopBound((server: server, gate: gate), eventLoop: loop)
        }.wait()
        try loop.flatSubmit { [parts] in parts.value.server.start(listeningDescriptor: listening) }.wait()
    }

    deinit {
        try? group.next().submit { [parts] in
            parts.value.server.stopAccepting()
            parts.value.server.closeAll()
        }.wait()
        close(descriptor)
        thread.stop()
        group.shutdownGracefully { _ in }
    }

    static func config(_ text: String) throws -> WebConfig {
        var files = ReadFiles()
        let file = File(text)
        return try WebConfig(path: file.path, files: &files)
    }

    static func tokens(_ text: String) throws -> AccessTokens {
        var files = ReadFiles()
        let file = File(text)
        return try AccessTokens(path: file.path, files: &files)
    }

    private final class File {
        private let folder = temporaryFolder()
        var path: String { folder + "/file.yml" }

        init(_ text: String) {
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
            let bytes = Array(text.utf8)
            precondition(write(descriptor, bytes, bytes.count) == bytes.count)
            close(descriptor)
        }

        deinit {
            unlink(path)
            rmdir(folder)
        }
    }

    func onLoop<Value: Sendable>(_ body: @escaping @Sendable (AccessGate) -> Value) throws -> Value {
        try group.next().submit { [parts] in body(parts.value.gate) }.wait()
    }

    func failures() throws -> [String: UInt64] {
        let counts = try onLoop { gate in gate.failureCounts.map { ($0.failure.rawValue, $0.count) } }
        return Dictionary(uniqueKeysWithValues: counts.filter { $0.1 > 0 })
    }

    private static func listen() -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(descriptor, $0, length) == 0)
                precondition(Glibc.listen(descriptor, 100) == 0)
                precondition(getsockname(descriptor, $0, &length) == 0)
            }
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }

    /// The whole answer.
    func get(_ path: String, _ authorization: String? = nil) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = Self.loopback(port: port)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(connected == 0)
        let field = authorization.map { "Authorization: \($0)\r\n" } ?? ""
        let request = Array("GET \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\(field)\r\n".utf8)
        precondition(send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count)
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(descriptor, &part, part.count, 0), count > 0 { answer += part.prefix(count) }
        return String(decoding: answer, as: UTF8.self)
    }

    func status(_ path: String, _ authorization: String? = nil) -> Int {
        Int(get(path, authorization).split(separator: " ").dropFirst().first ?? "") ?? 0
    }
}

/// `user:pass` in base 64.
private let rightPassword = "Basic dXNlcjpVKlU="
private let wrongPassword = "Basic dXNlcjp3cm9uZw=="
private let unknownUser = "Basic b3RoZXI6VSpV"
private let oneUser = "basic_auth_users: {user: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW}"

struct GateTests {
    @Test func accessGate_admitsEveryClientWithoutProtection() throws {
        let server = try GatedServer()
        #expect(server.get("/metrics").contains("served /metrics"))
        #expect(server.get("/health").contains("served /health"))
        #expect(server.get("/metrics", wrongPassword).contains("served /metrics"))
        #expect(try server.failures().isEmpty)
    }

    @Test func accessGate_requestsAPassword() throws {
        let server = try GatedServer(config: oneUser)
        let refused = server.get("/metrics")
        #expect(refused.hasPrefix("HTTP/1.1 401 Unauthorized"))
        #expect(refused.contains("WWW-Authenticate: Basic realm=\"fodc-proxy\""))
        #expect(!refused.contains("Bearer"))
        #expect(server.status("/metrics", wrongPassword) == 401)
        #expect(server.status("/metrics", unknownUser) == 401)
        #expect(server.status("/metrics", "Basic ???") == 401)
        #expect(server.status("/metrics", "Bearer fodc_x") == 401)
        for path in ["/metrics", "/cluster", "/diagnostics", "/", "/nothing"] {
            #expect(server.get(path, rightPassword).contains("served \(path)"))
        }
        #expect(
            try server.failures() == [
                "no_credentials": 1, "wrong_password": 2, "malformed": 1, "unknown_token": 1,
            ])
    }

    @Test func accessGate_checksAPasswordOnce() throws {
        let server = try GatedServer(config: oneUser)
        for _ in 0..<20 { #expect(server.status("/metrics", rightPassword) == 200) }
        #expect(try server.onLoop { $0.checkedPasswords } == 1)
    }

    @Test func accessGate_penalizesOnlyWrongPasswords() throws {
        let server = try GatedServer(config: oneUser)
        #expect(server.status("/metrics", rightPassword) == 200)
        var statuses: [Int] = []
        for _ in 0..<10 { statuses.append(server.status("/metrics", wrongPassword)) }
        #expect(statuses.prefix(4) == [401, 401, 401, 401])
        #expect(statuses.suffix(6).allSatisfy { $0 == 429 })
        #expect(server.get("/metrics", wrongPassword).contains("Retry-After: "))
        #expect(server.status("/metrics", rightPassword) == 200)
        #expect(try server.onLoop { $0.checkedPasswords } == 5)
    }

    @Test func accessGate_honoursTheScopesOfTokens() throws {
        let names = ["metrics", "read", "profiles"]
        let tokens = names.map { _ in AccessToken.make() }
        let file = zip(names, tokens).map { name, token in
            "- {name: \(name), sha256: \"\(AccessToken.hexText(AccessToken.hash(token)))\", scopes: [\(name)]}\n"
        }.joined()
        let server = try GatedServer(tokens: file)
        let paths = ["/metrics", "/cluster/topology", "/pressure-profiles/a/b/heap"]
        for (index, token) in tokens.enumerated() {
            let statuses = paths.map { server.status($0, "Bearer \(token)") }
            #expect(statuses == paths.indices.map { $0 == index ? 200 : 403 })
            #expect(server.status("/", "Bearer \(token)") == 200)
            #expect(server.get("/health", "bearer \(token)").contains("served /health"))
        }
        let answer = server.get("/incidents/x/bundle", "Bearer \(tokens[1])")
        #expect(answer.contains("this path needs a token with the scope profiles"), "only what it lacks: \(answer)")
        let page = server.get("/page", "Bearer \(tokens[0])")
        #expect(page.hasPrefix("HTTP/1.1 403") && page.contains("a page: this path needs a token with the scope read"))
        let refused = server.get("/metrics")
        #expect(refused.contains("WWW-Authenticate: Bearer realm=\"fodc-proxy\"") && !refused.contains("Basic"))
        #expect(server.status("/metrics", "Bearer \(AccessToken.make())") == 401)
        // There are no users.
        #expect(server.status("/metrics", rightPassword) == 401)
    }

    @Test func accessGate_limitsTokensToTheirPaths() throws {
        let token = AccessToken.make()
        let hash = AccessToken.hexText(AccessToken.hash(token))
        let server = try GatedServer(
            config: oneUser, tokens: "- {name: a, sha256: \"\(hash)\", scopes: [read], paths: ['/cluster/*']}")
        #expect(server.status("/cluster/topology", "Bearer \(token)") == 200)
        #expect(server.status("/cluster", "Bearer \(token)") == 403)
        #expect(server.status("/cluster", rightPassword) == 200)
    }

    @Test func accessGate_admitsProbesWithoutCredentials() throws {
        let server = try GatedServer(config: oneUser)
        for authorization in [nil, wrongPassword, rightPassword] {
            #expect(server.get("/-/healthy", authorization).contains("served /-/healthy"))
            #expect(server.get("/-/ready", authorization).contains("served /-/ready"))
        }
        #expect(server.get("/health").contains("public"))
        #expect(server.get("/health", wrongPassword).contains("public"))
        #expect(server.get("/health", rightPassword).contains("served /health"))
        let closed = try GatedServer(config: oneUser, healthRequiresCredentials: true)
        #expect(closed.status("/health") == 401)
        #expect(closed.status("/health", wrongPassword) == 401)
        #expect(closed.get("/health", rightPassword).contains("served /health"))
        #expect(closed.get("/-/healthy").contains("served /-/healthy"))
    }

    @Test func accessGate_limitsTheRequestRate() throws {
        let server = try GatedServer(config: "rate_limit: {interval: 1h, burst: 2}")
        #expect((0..<4).map { _ in server.status("/metrics") } == [200, 200, 429, 429])
        #expect(server.status("/-/healthy") == 200)
        #expect(try server.onLoop { $0.rateLimited } == 2)
    }

    @Test func accessGate_forgetsARemovedUser() throws {
        let server = try GatedServer(config: oneUser)
        #expect(server.status("/metrics", rightPassword) == 200)
        let config = try GatedServer.config(
            "basic_auth_users: {other: $2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a}")
        try server.onLoop { $0.use(config) }
        #expect(server.status("/metrics", rightPassword) == 401)
    }
}
