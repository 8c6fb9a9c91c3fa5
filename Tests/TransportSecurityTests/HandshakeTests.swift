// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import NIOSSL
import Testing

@testable import TransportSecurity

/// Both ends of a connection whose bytes the test carries.
private final class Connection {
    let loop = EmbeddedEventLoop()
    let server: EmbeddedChannel
    let client: EmbeddedChannel
    private(set) var ends: [HandshakeEnd] = []
    private let inbound = Inbound()
    private let box = EndsBox()

    init(_ settings: TLSServerSettings, client configure: (inout TLSConfiguration) -> Void = { _ in }) throws {
        server = EmbeddedChannel(loop: loop)
        client = EmbeddedChannel(loop: loop)
        var files = ReadFiles()
        let context = try TLSServerContext.load(settings, files: &files)
        try context.secure(server.pipeline.syncOperations, handshakeTimeout: .seconds(5)) { [box] in
            box.list.append($0)
        }
        try server.pipeline.syncOperations.addHandler(inbound)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates([
            try NIOSSLCertificate(bytes: Array(TestCertificate.authority.utf8), format: .pem)
        ])
        configure(&configuration)
        try client.pipeline.syncOperations.addHandler(
            try NIOSSLClientHandler(context: NIOSSLContext(configuration: configuration), serverHostname: "localhost"))
        server.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 2), promise: nil)
        client.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        carry()
    }

    /// Carries bytes in both directions until no bytes are left.
    func carry() {
        while true {
            loop.run()
            var moved = false
            while let bytes = try? client.readOutbound(as: ByteBuffer.self), bytes.readableBytes > 0 {
                moved = true
                if server.isActive { _ = try? server.writeInbound(bytes) }
            }
            while let bytes = try? server.readOutbound(as: ByteBuffer.self), bytes.readableBytes > 0 {
                moved = true
                if client.isActive { _ = try? client.writeInbound(bytes) }
            }
            guard moved else {
                ends = box.list
                return
            }
        }
    }

    var received: String { String(buffer: inbound.bytes) }
    var errors: Int { inbound.errors }

    deinit {
        server.close(promise: nil)
        client.close(promise: nil)
        // TLS waits for the other side's close, which nobody carries any more.
        loop.advanceTime(by: .seconds(60))
    }

    final class EndsBox {
        var list: [HandshakeEnd] = []
    }

    private final class Inbound: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var bytes = ByteBuffer()
        var errors = 0

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = unwrapInboundIn(data)
            bytes.writeBuffer(&part)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { errors += 1 }
    }
}

struct HandshakeTests {
    private static func settings(_ change: (inout TLSServerSettings) -> Void = { _ in }) -> TLSServerSettings {
        var settings = TLSServerSettings(
            certificateChain: .text(Array(TestCertificate.server.utf8)),
            privateKey: .text(Array(TestCertificate.serverKey.utf8)))
        change(&settings)
        return settings
    }

    private static func authorities(_ policy: ClientCertificatePolicy) -> (inout TLSServerSettings) -> Void {
        { settings in
            settings.clientPolicy = policy
            if policy.verifiesCertificate { settings.clientAuthorities = .text(Array(TestCertificate.authority.utf8)) }
        }
    }

    private static func present(_ certificate: String, _ key: String) -> (inout TLSConfiguration) -> Void {
        { configuration in
            guard let leaf = try? NIOSSLCertificate(bytes: Array(certificate.utf8), format: .pem),
                let key = try? NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
            else { return }
            configuration.certificateChain = [.certificate(leaf)]
            configuration.privateKey = .privateKey(key)
        }
    }

    private func text(_ ends: [HandshakeEnd]) -> String {
        ends.map { end in
            switch end {
            case .completed(let names, _): "completed \(names.map { "\($0.count)" } ?? "without")"
            case .failed(let failure, _): failure.rawValue
            }
        }.joined(separator: ", ")
    }

    @Test func handshake_completesAndCarriesBytes() throws {
        let connection = try Connection(Self.settings { $0.applicationProtocols = ["http/1.1"] }) {
            $0.applicationProtocols = ["h2", "http/1.1"]
        }
        guard case .completed(nil, "http/1.1")? = connection.ends.first else {
            Issue.record("\(connection.ends)")
            return
        }
        connection.client.writeAndFlush(ByteBuffer(string: "hello"), promise: nil)
        connection.carry()
        #expect(connection.received == "hello")
    }

    @Test(arguments: [
        (ClientCertificatePolicy.notRequested, "completed without", "completed without", "completed without"),
        (.requested, "completed without", "completed 3", "completed 1"),
        (.requiredUnverified, "no_certificate", "completed 3", "completed 1"),
        (.verifiedIfGiven, "completed without", "completed 3", "bad_certificate"),
        (.required, "no_certificate", "completed 3", "bad_certificate"),
    ])
    func clientPolicy_decidesWhichClientsConnect(
        policy: ClientCertificatePolicy, without: String, known: String, stranger: String
    ) throws {
        let settings = Self.settings(Self.authorities(policy))
        let bare = try Connection(settings)
        #expect(text(bare.ends) == without)
        let client = try Connection(settings, client: Self.present(TestCertificate.client, TestCertificate.clientKey))
        #expect(text(client.ends) == known)
        let other = try Connection(
            settings, client: Self.present(TestCertificate.stranger, TestCertificate.strangerKey))
        #expect(text(other.ends) == stranger)
        #expect(other.server.isActive == !(stranger == "bad_certificate"))
    }

    @Test func clientPolicy_refusesAnExpiredCertificate() throws {
        let connection = try Connection(
            Self.settings(Self.authorities(.required)),
            client: Self.present(TestCertificate.expired, TestCertificate.expiredKey))
        #expect(text(connection.ends) == "bad_certificate")
    }

    @Test(arguments: [
        ("prometheus.example", true), ("ops@example.org", true), ("spiffe://cluster.local/ns/a/sa/prometheus", true),
        ("client", false), ("*.example", false), ("PROMETHEUS.example", false),
    ])
    func allowedNames_areMatchedExactly(name: String, isAllowed: Bool) throws {
        let settings = Self.settings {
            Self.authorities(.required)(&$0)
            $0.allowedClientNames = ["somebody.else", name]
        }
        let connection = try Connection(
            settings, client: Self.present(TestCertificate.client, TestCertificate.clientKey))
        #expect(text(connection.ends) == (isAllowed ? "completed 3" : "name_not_allowed"))
        #expect(connection.server.isActive == isAllowed)
        connection.client.writeAndFlush(ByteBuffer(string: "hello"), promise: nil)
        connection.carry()
        #expect(connection.received == (isAllowed ? "hello" : ""))
    }

    @Test func handshake_failsWithoutACommonVersion() throws {
        let connection = try Connection(Self.settings { $0.minimumVersion = .tlsv13 }) {
            $0.maximumTLSVersion = .tlsv12
        }
        #expect(text(connection.ends) == "version")
    }

    @Test func handshake_failsWithoutACommonSuite() throws {
        let connection = try Connection(
            Self.settings {
                $0.maximumVersion = .tlsv12
                $0.cipherSuites = [.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
            }
        ) { $0.cipherSuiteValues = [.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256] }
        #expect(text(connection.ends) == "cipher")
    }

    @Test func handshake_failsWhenTheClientRefusesTheCertificate() throws {
        let connection = try Connection(Self.settings()) { $0.trustRoots = .certificates([]) }
        // With TLS 1.3 the server learns of it when its own part is done.
        #expect(["refused_by_client", "completed without"].contains(text(connection.ends)))
        let older = try Connection(Self.settings { $0.maximumVersion = .tlsv12 }) { $0.trustRoots = .certificates([]) }
        #expect(text(older.ends) == "refused_by_client")
    }

    @Test func handshake_endsWhenTheClientLeaves() throws {
        let connection = try Connection(Self.settings(Self.authorities(.required))) { $0.minimumTLSVersion = .tlsv13 }
        #expect(connection.ends.count == 1)
        let silent = try SilentServer()
        silent.channel.pipeline.fireChannelInactive()
        #expect(text(silent.ends) == "closed")
    }

    @Test func handshake_timesOut() throws {
        let silent = try SilentServer()
        silent.loop.advanceTime(by: .seconds(4))
        #expect(silent.ends.isEmpty && silent.channel.isActive)
        silent.loop.advanceTime(by: .seconds(1))
        #expect(text(silent.ends) == "timeout")
        #expect(!silent.channel.isActive)
    }

    @Test func plaintextDetector_answersPlainHTTPInPlainHTTP() throws {
        let silent = try SilentServer()
        _ = try? silent.channel.writeInbound(ByteBuffer(string: "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"))
        let answer = try #require(try silent.channel.readOutbound(as: ByteBuffer.self))
        #expect(String(buffer: answer).hasPrefix("HTTP/1.0 400 Bad Request\r\n"))
        #expect(String(buffer: answer).contains("https://"))
        #expect(text(silent.ends) == "not_tls")
        #expect(!silent.channel.isActive)
        let binary = try SilentServer()
        _ = try? binary.channel.writeInbound(ByteBuffer(bytes: [0, 1, 2]))
        #expect(try binary.channel.readOutbound(as: ByteBuffer.self) == nil)
        #expect(text(binary.ends) == "not_tls")
    }

    private final class SilentServer {
        let loop = EmbeddedEventLoop()
        let channel: EmbeddedChannel
        private let box = Connection.EndsBox()
        var ends: [HandshakeEnd] { box.list }

        init() throws {
            channel = EmbeddedChannel(loop: loop)
            var files = ReadFiles()
            let context = try TLSServerContext.load(HandshakeTests.settings(), files: &files)
            try context.secure(channel.pipeline.syncOperations, handshakeTimeout: .seconds(5)) { [box] in
                box.list.append($0)
            }
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 2), promise: nil)
        }

        deinit {
            channel.close(promise: nil)
            loop.advanceTime(by: .seconds(60))
        }
    }

    @Test func tlsChannel_closeNowReportsTheEndAtOnce() throws {
        let connection = try Connection(Self.settings())
        TLSServerContext.closeNow(connection.server, tellsEnd: true)
        #expect(!connection.server.isActive)
        connection.carry()
        #expect(connection.errors == 0)
    }

    @Test func tlsServerContext_doesNotMixOldAndNewCertificates() throws {
        // A connection keeps the context that it began with.
        let connection = try Connection(Self.settings())
        _ = try Connection(Self.settings { $0.minimumVersion = .tlsv13 })
        connection.client.writeAndFlush(ByteBuffer(string: "still"), promise: nil)
        connection.carry()
        #expect(connection.received == "still")
    }
}
