// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing
import TransportSecurity

@testable import WebConfig

/// A file of a test, which is removed with it.
final class TestFile {
    let folder = temporaryFolder()
    var path: String { folder + "/web.yml" }

    init(_ text: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let bytes = Array(text.utf8)
        precondition(descriptor >= 0 && write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    deinit {
        unlink(path)
        rmdir(folder)
    }
}

struct WebConfigTests {
    private func config(_ text: String) throws -> WebConfig {
        var files = ReadFiles()
        let file = TestFile(text)
        return try WebConfig(path: file.path, files: &files)
    }

    /// The error without the path.
    private func reason(_ text: String) -> String {
        let file = TestFile(text)
        var files = ReadFiles()
        do throws(ConfigurationFileError) {
            _ = try WebConfig(path: file.path, files: &files)
            return "no error"
        } catch {
            return error.description.replacing(file.path, with: "FILE")
        }
    }

    @Test func webConfig_readsEveryKey() throws {
        let file = TestFile(
            """
            tls_server_config:
              cert_file: server.crt
              key_file: /etc/keys/server.key
              client_auth_type: RequireAndVerifyClientCert
              client_ca_file: authorities.crt
              client_allowed_sans: [prometheus.example, "spiffe://cluster.local/prometheus"]
              min_version: TLS12
              max_version: TLS13
              cipher_suites:
                - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
                - TLS_AES_128_GCM_SHA256
              prefer_server_cipher_suites: true
              curve_preferences: [CurveP256, X25519]
            http_server_config:
              http2: false
              headers:
                X-Frame-Options: deny
                X-Content-Type-Options: nosniff
                Strict-Transport-Security: max-age=31536000
                X-XSS-Protection:
                Content-Security-Policy: default-src 'none'
            basic_auth_users:
              prometheus: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi
              12: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW
            rate_limit:
              interval: 100ms
              burst: 20
            """)
        var files = ReadFiles()
        let config = try WebConfig(path: file.path, files: &files)
        let tls = try #require(config.tls)
        #expect(tls.certificateChain == .file(file.folder + "/server.crt"))
        #expect(tls.privateKey == .file("/etc/keys/server.key"))
        #expect(tls.clientPolicy == .required)
        #expect(tls.clientAuthorities == .file(file.folder + "/authorities.crt"))
        #expect(tls.allowedClientNames == ["prometheus.example", "spiffe://cluster.local/prometheus"])
        #expect(tls.minimumVersion == .tlsv12 && tls.maximumVersion == .tlsv13)
        #expect(tls.cipherSuites == [.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256])
        #expect(tls.curves == [.secp256r1, .x25519])
        #expect(
            config.headers.map { "\($0.name)=\($0.value)" } == [
                "X-Frame-Options=deny", "X-Content-Type-Options=nosniff", "Strict-Transport-Security=max-age=31536000",
                "Content-Security-Policy=default-src 'none'",
            ])
        #expect(Set(config.users.keys) == ["prometheus", "12"])
        #expect(config.users["12"]?.cost == 5)
        #expect(config.rateLimit == WebConfig.RateLimit(intervalNanoseconds: 100_000_000, burst: 20))
    }

    @Test func webConfig_isPlainHTTPWithoutKeys() throws {
        for text in [
            "{}", "tls_server_config:\nbasic_auth_users: {}\n", "tls_server_config: {}", "rate_limit: {interval: 0s}",
        ] {
            #expect(try config(text) == config("{}"))
        }
        let none = try config("{}")
        #expect(none.tls == nil && none.users.isEmpty && none.headers.isEmpty && none.rateLimit == nil)
    }

    /// The client's order counts, as in Go: a file that sets it either way means the same.
    @Test(arguments: ["true", "false"])
    func webConfig_takesPreferServerCipherSuitesWithoutEffect(value: String) throws {
        let text = "tls_server_config: {cert: C, key: K"
        #expect(try config("\(text), prefer_server_cipher_suites: \(value)}") == config("\(text)}"))
    }

    @Test func webConfig_acceptsAnInlineCertificate() throws {
        let tls = try #require(try config("tls_server_config:\n  cert: |\n    C\n  key: |\n    K\n").tls)
        #expect(tls.certificateChain == .text(Array("C\n".utf8)))
        #expect(tls.privateKey == .text(Array("K\n".utf8)))
    }

    @Test func webConfig_disablesOlderVersionsForTLS13Suites() throws {
        let text = "tls_server_config: {cert: C, key: K, cipher_suites: [TLS_AES_256_GCM_SHA384]"
        let tls = try #require(try config(text + "}").tls)
        #expect(tls.minimumVersion == .tlsv13 && tls.cipherSuites.isEmpty)
        #expect(
            reason(text + ", max_version: TLS12}")
                == "FILE, line 1: tls_server_config.cipher_suites: has no suite for max_version")
    }

    @Test(arguments: [
        ("NoClientCert", ClientCertificatePolicy.notRequested), ("RequestClientCert", .requested),
        ("RequireAnyClientCert", .requiredUnverified), ("RequireClientCert", .requiredUnverified),
        ("VerifyClientCertIfGiven", .verifiedIfGiven), ("RequireAndVerifyClientCert", .required),
    ])
    func webConfig_acceptsFiveClientAuthTypes(text: String, policy: ClientCertificatePolicy) throws {
        let authorities = policy.verifiesCertificate ? ", client_ca: A" : ""
        let tls = try #require(
            try config("tls_server_config: {cert: C, key: K, client_auth_type: \(text)\(authorities)}").tls)
        #expect(tls.clientPolicy == policy)
    }

    @Test(arguments: [
        ("", "FILE is empty; write {} if nothing is to be set"), ("# nothing\n", "FILE is empty"),
        ("- a\n", "FILE, line 1: must be a mapping"), ("{}\n---\n{}\n", "FILE, line 2: a second document"),
        (
            "tls_config: {}",
            "FILE, line 1: tls_config: is not known here; there are tls_server_config, http_server_config"
        ),
        ("tls_server_config:\n  cert_fil: a\n", "FILE, line 2: tls_server_config.cert_fil: is not known here"),
        ("tls_server_config: {key_file: a}", "tls_server_config: cert_file or cert is missing"),
        ("tls_server_config: {cert_file: a}", "tls_server_config: key_file or key is missing"),
        ("tls_server_config: {min_version: TLS12}", "tls_server_config: cert_file or cert is missing"),
        ("tls_server_config: {cert: a, cert_file: b, key: c}", "tls_server_config.cert: cert_file is there too"),
        ("tls_server_config: {cert_file: '', key: c}", "tls_server_config.cert_file: must be a path"),
        (
            "tls_server_config: {cert: a, key: b, client_auth_type: Sometimes}",
            "client_auth_type: must be one of NoClientCert, Requ"
        ),
        ("tls_server_config: {cert: a, key: b, client_ca: c}", "tls_server_config.client_ca: is of no effect without"),
        (
            "tls_server_config: {cert: a, key: b, client_auth_type: RequireAndVerifyClientCert}",
            "client_auth_type: RequireAndVerifyClientCert needs client_ca_file"
        ),
        (
            "tls_server_config: {cert: a, key: b, client_auth_type: RequestClientCert, client_allowed_sans: [x]}",
            "client_allowed_sans: needs client_auth_type"
        ),
        (
            "tls_server_config: {cert: a, key: b, client_auth_type: RequireAnyClientCert, client_allowed_sans: []}",
            "client_allowed_sans: is an empty list"
        ),
        (
            "tls_server_config: {cert: a, key: b, min_version: SSL30}",
            "min_version: must be one of TLS10, TLS11, TLS12, TLS13"
        ),
        ("tls_server_config: {cert: a, key: b, max_version: TLS11}", "max_version: min_version is above max_version"),
        (
            "tls_server_config: {cert: a, key: b, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}",
            "cipher_suites[0]: must be one of TLS_ECDHE"
        ),
        ("tls_server_config: {cert: a, key: b, cipher_suites: all}", "cipher_suites: must be a list"),
        (
            "tls_server_config: {cert: a, key: b, curve_preferences: [X448]}",
            "curve_preferences[0]: must be one of CurveP256"
        ),
        (
            "tls_server_config: {cert: a, key: b, prefer_server_cipher_suites: 1}",
            "prefer_server_cipher_suites: must be true or false"
        ),
        ("http_server_config: {http2: true}", "http_server_config.http2: HTTP/2 is not spoken on this port"),
        (
            "http_server_config: {headers: {Server: x}}",
            "http_server_config.headers.Server: cannot be set; there are Content-Sec"
        ),
        ("http_server_config: {headers: {X-Frame-Options: allow}}", "X-Frame-Options: must be deny or sameorigin"),
        ("http_server_config: {headers: {X-XSS-Protection: \"a\\nb\"}}", "X-XSS-Protection: must be one line"),
        ("basic_auth_users: {a: plain}", "FILE, line 1: basic_auth_users.a: must be a bcrypt hash"),
        ("basic_auth_users: {'a:b': plain}", "a user name has no colon"),
        (
            "basic_auth_users: {a: $2y$31$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi}",
            "basic_auth_users.a: has the cost 31"
        ),
        ("rate_limit: {interval: 1s}", "rate_limit.interval: burst must be at least 1"),
        ("rate_limit: {interval: 1s, burst: 0}", "rate_limit.burst: burst must be at least 1"),
        ("rate_limit: {interval: fast, burst: 1}", "rate_limit.interval: must be a duration"),
        ("rate_limit: {interval: 1s, burst: -1}", "rate_limit.burst: must be a whole number"),
    ])
    func webConfig_rejectsAnInvalidFileWithItsKey(text: String, expected: String) {
        #expect(reason(text).contains(expected))
    }

    @Test func webConfig_namesMissingAndLargeFiles() {
        var files = ReadFiles()
        #expect(throws: ConfigurationFileError("/nonexistent/web.yml cannot be read: No such file or directory")) {
            try WebConfig(path: "/nonexistent/web.yml", files: &files)
        }
        #expect(
            reason(String(repeating: "#", count: WebConfig.limitBytes + 1)).contains("FILE is larger than 262144 bytes")
        )
    }

    @Test func webConfig_namesUnusableCertificatesWithTheirKey() {
        let file = TestFile("tls_server_config: {cert: C, key_file: missing.key}")
        var files = ReadFiles()
        let expected =
            "\(file.path), tls_server_config: cert has no certificate in PEM (-----BEGIN CERTIFICATE-----) that can be read"
        #expect(throws: ConfigurationFileError(expected)) { try LoadedWebConfig.load(file.path, files: &files) }
        let other = TestFile("tls_server_config: {cert_file: missing.crt, key: K}")
        #expect(throws: ConfigurationFileError.self) { try LoadedWebConfig.load(other.path, files: &files) }
        // So that its appearance is seen.
        #expect(files.paths.contains(other.folder + "/missing.crt"))
    }
}
