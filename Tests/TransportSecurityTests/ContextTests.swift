// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOSSL
import TestSupport
import Testing

@testable import TransportSecurity

struct ContextTests {
    private static func load(
        chain: PEMSource = .text(Array(TestCertificate.server.utf8)),
        key: PEMSource = .text(Array(TestCertificate.serverKey.utf8)),
        change: (inout TLSServerSettings) -> Void = { _ in }
    ) throws(ConfigurationFileError) -> TLSServerContext {
        var settings = TLSServerSettings(certificateChain: chain, privateKey: key)
        change(&settings)
        var files = ReadFiles()
        return try TLSServerContext.load(settings, files: &files)
    }

    private func reason(_ body: () throws(ConfigurationFileError) -> TLSServerContext) -> String {
        do throws(ConfigurationFileError) {
            _ = try body()
            return "no error"
        } catch {
            return error.description
        }
    }

    @Test func tlsServerContext_reportsTheEarliestExpiryOfTheChain() throws {
        // 2126-01-01.
        #expect(try Self.load().expiresAtSeconds == 4_922_899_200)
        let chain = TestCertificate.server + "\n" + TestCertificate.expired
        #expect(try Self.load(chain: .text(Array(chain.utf8))).expiresAtSeconds == 1_769_904_000)
    }

    @Test func tlsServerContext_namesAnUnreadableFile() {
        let text = reason { () throws(ConfigurationFileError) in try Self.load(chain: .file("/nonexistent/server.crt"))
        }
        #expect(text == "cert_file: /nonexistent/server.crt cannot be read: No such file or directory")
        let keyText = reason { () throws(ConfigurationFileError) in try Self.load(key: .file("/nonexistent/server.key"))
        }
        #expect(keyText.hasPrefix("key_file: /nonexistent/server.key cannot be read"))
    }

    @Test func tlsServerContext_rejectsMalformedCertificatesAndKeys() {
        let noCertificate = reason { () throws(ConfigurationFileError) in
            try Self.load(chain: .text(Array("junk".utf8)))
        }
        #expect(noCertificate.contains("cert_file has no certificate in PEM"))
        let noKey = reason { () throws(ConfigurationFileError) in try Self.load(key: .text(Array("junk".utf8))) }
        #expect(noKey.contains("key_file has no private key in PEM"))
        let encrypted = reason { () throws(ConfigurationFileError) in
            try Self.load(key: .text(Array(TestCertificate.encryptedKey.utf8)))
        }
        #expect(encrypted.contains("encrypted with a passphrase"))
    }

    @Test func tlsServerContext_refusesAKeyOfAnotherCertificate() {
        let text = reason { () throws(ConfigurationFileError) in
            try Self.load(key: .text(Array(TestCertificate.clientKey.utf8)))
        }
        #expect(text == "the key of key_file does not belong to the certificate of cert_file")
    }

    @Test func certificate_readsNamesOfAllKinds() throws {
        let server = try NIOSSLCertificate(bytes: Array(TestCertificate.server.utf8), format: .pem)
        #expect(server.names == [.dns("localhost"), .address("127.0.0.1"), .address("fd00::1")])
        let client = try NIOSSLCertificate(bytes: Array(TestCertificate.client.utf8), format: .pem)
        #expect(
            client.names == [
                .uri("spiffe://cluster.local/ns/a/sa/prometheus"), .dns("prometheus.example"),
                .email("ops@example.org"),
            ])
    }

    @Test func readFiles_detectsChangesOfContentOnly() throws {
        let folder = temporaryFolder()
        defer {
            unlink("\(folder)/a")
            rmdir(folder)
        }
        try write("one", to: "\(folder)/a")
        var files = ReadFiles()
        #expect(try files.read("\(folder)/a") == Array("one".utf8))
        #expect(files.areUnchanged())
        try write("one", to: "\(folder)/a")
        #expect(files.areUnchanged())
        try write("two", to: "\(folder)/a")
        #expect(!files.areUnchanged())
        unlink("\(folder)/a")
        #expect(!files.areUnchanged())
        var missing = ReadFiles()
        #expect(throws: ConfigurationFileError.self) { try missing.read("\(folder)/a") }
        #expect(missing.areUnchanged())
        try write("three", to: "\(folder)/a")
        #expect(!missing.areUnchanged())
    }

    @Test func readFiles_rejectsLargeFiles() throws {
        let folder = temporaryFolder()
        defer {
            unlink("\(folder)/a")
            rmdir(folder)
        }
        try write("12345", to: "\(folder)/a")
        var files = ReadFiles()
        #expect(try files.read("\(folder)/a", limitBytes: 5).count == 5)
        #expect(throws: ConfigurationFileError("\(folder)/a is larger than 4 bytes")) {
            try files.read("\(folder)/a", limitBytes: 4)
        }
    }
}

func write(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    let bytes = Array(text.utf8)
    #expect(descriptor >= 0 && Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
}
