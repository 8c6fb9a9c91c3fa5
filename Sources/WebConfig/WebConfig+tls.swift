// SPDX-License-Identifier: Apache-2.0
import NIOSSL
import TransportSecurity
import YAML

extension WebConfig {
    private static let tlsKeys = [
        "cert", "key", "client_ca", "cert_file", "key_file", "client_auth_type", "client_ca_file",
        "client_allowed_sans",
        "min_version", "max_version", "cipher_suites", "prefer_server_cipher_suites", "curve_preferences",
    ]

    static func tls(_ field: YAMLField, folder: String) throws(YAMLError) -> TLSServerSettings? {
        let fields = try field.fields(tlsKeys)
        guard !fields.isEmpty else { return nil }
        guard let chain = try source(fields, text: "cert", file: "cert_file", folder: folder) else {
            throw field.error("cert_file or cert is missing")
        }
        guard let key = try source(fields, text: "key", file: "key_file", folder: folder) else {
            throw field.error("key_file or key is missing")
        }
        var settings = TLSServerSettings(certificateChain: chain, privateKey: key)
        try takeClients(fields, folder: folder, into: &settings)
        if let field = fields["min_version"] { settings.minimumVersion = try version(field).version }
        if let field = fields["max_version"] { settings.maximumVersion = try version(field).version }
        let (least, most) = (rank(settings.minimumVersion), rank(settings.maximumVersion))
        guard least <= most else {
            throw (fields["max_version"] ?? fields["min_version"] ?? field).error("min_version is above max_version")
        }
        try takeSuites(fields["cipher_suites"], into: &settings)
        // BoringSSL takes the client's order, and so does Go, which has no use for this key since 1.17.
        _ = try fields["prefer_server_cipher_suites"]?.bool()
        if let field = fields["curve_preferences"] {
            for item in try field.list() {
                guard let curve = curves.first(where: { $0.name == (try? item.string()) }) else {
                    throw item.error("must be one of \(curves.map(\.name).joined(separator: ", "))")
                }
                settings.curves.append(curve.curve)
            }
        }
        return settings
    }

    private static func source(
        _ fields: [String: YAMLField], text: String, file: String, folder: String
    ) throws(YAMLError) -> PEMSource? {
        if let inline = fields[text] {
            guard fields[file] == nil else { throw inline.error("\(file) is there too; one of both is enough") }
            return .text(Array(try inline.string().utf8))
        }
        guard let field = fields[file] else { return nil }
        let path = try field.string()
        guard !path.isEmpty, !path.utf8.contains(0) else { throw field.error("must be a path") }
        return .file(path.hasPrefix("/") ? path : folder + path)
    }

    private static func takeClients(
        _ fields: [String: YAMLField], folder: String, into settings: inout TLSServerSettings
    ) throws(YAMLError) {
        if let field = fields["client_auth_type"] {
            let text = try field.string()
            // The older name of the third, which exporter-toolkit still takes.
            let name = text == "RequireClientCert" ? ClientCertificatePolicy.requiredUnverified.rawValue : text
            guard let policy = ClientCertificatePolicy(rawValue: name) else {
                throw field.error(
                    "must be one of \(ClientCertificatePolicy.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            settings.clientPolicy = policy
        }
        settings.clientAuthorities = try source(fields, text: "client_ca", file: "client_ca_file", folder: folder)
        if settings.clientAuthorities != nil, settings.clientPolicy == .notRequested {
            throw (fields["client_ca_file"] ?? fields["client_ca"])!.error(
                "is of no effect without client_auth_type: RequireAndVerifyClientCert")
        }
        if settings.clientAuthorities == nil, settings.clientPolicy.verifiesCertificate,
            let field = fields["client_auth_type"]
        {
            throw field.error(
                "\(settings.clientPolicy.rawValue) needs client_ca_file or client_ca: who signs the clients' certificates"
            )
        }
        guard let field = fields["client_allowed_sans"] else { return }
        guard settings.clientPolicy.requiresCertificate else {
            throw field.error("needs client_auth_type: RequireAndVerifyClientCert (or RequireAnyClientCert)")
        }
        var names: Set<String> = []
        for item in try field.list() {
            let name = try item.string()
            guard !name.isEmpty else { throw item.error("must be a name: DNS, IP address, e-mail or URI") }
            names.insert(name)
        }
        guard !names.isEmpty else { throw field.error("is an empty list, which would let nobody in") }
        settings.allowedClientNames = names
    }

    // MARK: Names of versions, suites and curves, which are Go's

    private static let versions: [(name: String, version: TLSVersion)] = [
        ("TLS10", .tlsv1), ("TLS11", .tlsv11), ("TLS12", .tlsv12), ("TLS13", .tlsv13),
    ]

    private static func version(_ field: YAMLField) throws(YAMLError) -> (name: String, version: TLSVersion) {
        let text = try field.string()
        guard let version = versions.first(where: { $0.name == text }) else {
            throw field.error("must be one of \(versions.map(\.name).joined(separator: ", "))")
        }
        return version
    }

    private static func rank(_ version: TLSVersion) -> Int { versions.firstIndex { $0.version == version } ?? 0 }

    private static func takeSuites(_ field: YAMLField?, into settings: inout TLSServerSettings) throws(YAMLError) {
        guard let field else { return }
        let items = try field.list()
        for item in items {
            let text = try item.string()
            if alwaysOn.contains(text) { continue }
            guard let suite = suites.first(where: { $0.name == text }) else {
                let names = suites.map(\.name) + alwaysOn
                throw item.error("must be one of \(names.joined(separator: ", "))")
            }
            settings.cipherSuites.append(suite.suite)
        }
        // Suites of TLS 1.3 alone: no older version has one to offer.
        if settings.cipherSuites.isEmpty, !items.isEmpty {
            guard settings.maximumVersion == .tlsv13 else { throw field.error("has no suite for max_version") }
            settings.minimumVersion = .tlsv13
        }
    }

    /// Those of TLS 1.3, which nobody can switch off, in Go either.
    private static let alwaysOn = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]

    private static let suites: [(name: String, suite: NIOTLSCipher)] = [
        ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
        ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", .TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", .TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", .TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", .TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA),
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", .TLS_RSA_WITH_AES_128_GCM_SHA256),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", .TLS_RSA_WITH_AES_256_GCM_SHA384),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", .TLS_RSA_WITH_AES_128_CBC_SHA),
        ("TLS_RSA_WITH_AES_256_CBC_SHA", .TLS_RSA_WITH_AES_256_CBC_SHA),
    ]

    private static let curves: [(name: String, curve: NIOTLSCurve)] = [
        ("CurveP256", .secp256r1), ("CurveP384", .secp384r1), ("CurveP521", .secp521r1), ("X25519", .x25519),
    ]
}
