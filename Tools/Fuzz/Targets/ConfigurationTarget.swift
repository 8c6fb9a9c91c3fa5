// SPDX-License-Identifier: Apache-2.0
import TransportSecurity

@testable import Credentials
@testable import WebConfig
@testable import YAML

// YAML files: the web configuration and the file of tokens. An input is which of the three it is read as, and the file.

extension FuzzTarget {
    static let configuration = FuzzTarget("configuration", seeds: ConfigurationRun.seeds) { bytes in
        var input = FuzzInput(bytes)
        let kind = input.below(3)
        try ConfigurationRun.take(input.rest(), as: kind)
    }
}

private enum ConfigurationRun {
    static func take(_ file: [UInt8], as kind: Int) throws {
        let node: YAMLNode?
        do throws(YAMLError) { node = try YAMLDocument.parse(file) } catch { return try check(error, in: file) }
        guard let node else { return }
        let root = YAMLField(name: "", node: node)
        var config: WebConfig?
        var tokens: AccessTokens?
        do throws(YAMLError) {
            switch kind {
            case 0: config = try WebConfig(root, folder: "/etc/fodc/")
            case 1: tokens = try AccessTokens(root)
            default: break
            }
        } catch {
            return try check(error, in: file)
        }
        if let config { try check(config) }
        if let tokens { try check(tokens) }
        if kind == 2 { try checkWrittenAgain(node) }
    }

    /// An error says something, and names a line of the file (a break may be one byte, and the end is behind the last).
    private static func check(_ error: YAMLError, in file: [UInt8]) throws(Finding) {
        try hold(!error.message.isEmpty, "an error without a word")
        try hold((1...file.count + 1).contains(error.line), "line \(error.line) of \(file.count) bytes")
    }

    private static func check(_ config: WebConfig) throws(Finding) {
        for header in config.headers {
            let isOneLine = header.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            try hold(isOneLine && !header.value.isEmpty, "a header field \(header)")
        }
        for (name, hash) in config.users {
            try hold(!name.isEmpty && !name.contains(":"), "a user \(name)")
            let digits = hash.cost < 10 ? "0\(hash.cost)" : "\(hash.cost)"
            try hold(hash.text.dropFirst(4).hasPrefix("\(digits)$"), "\(hash.text) has the cost \(hash.cost)")
            try hold(hash.cost <= PasswordHash.largestCost, "\(hash.text) costs too much")
        }
        if let limit = config.rateLimit {
            try hold(limit.burst > 0 && limit.intervalNanoseconds > 0, "a rate limit of nothing: \(limit)")
        }
        guard let tls = config.tls else { return }
        try hold(tls.allowedClientNames?.isEmpty != true, "no client may come")
        try hold(
            !tls.clientPolicy.verifiesCertificate || tls.clientAuthorities != nil, "certificates of nobody are verified"
        )
    }

    private static func check(_ tokens: AccessTokens) throws(Finding) {
        try hold(Set(tokens.entries.map(\.name)).count == tokens.entries.count, "a name of two tokens")
        for entry in tokens.entries {
            try hold(entry.sha256.count == SHA256.digestBytes, "\(entry.name) has no hash")
            try hold(!entry.scopes.isEmpty && entry.paths?.isEmpty != true, "\(entry.name) is for nothing")
        }
    }

    // MARK: A document that is written again

    /// A document is read as the same when it is written with all its texts in quotes.
    private static func checkWrittenAgain(_ node: YAMLNode) throws {
        var text = ""
        guard append(node, to: &text, depth: 0) else { return }
        guard let again = try YAMLDocument.parse(Array(text.utf8)) else { throw Finding("\(text) is read as nothing") }
        try hold(isSame(node, again), "\(node) is \(again) after it was written")
    }

    /// False for what cannot be written: too deep without its aliases, or a key longer than libyaml takes on one line.
    private static func append(_ node: YAMLNode, to text: inout String, depth: Int) -> Bool {
        guard depth < YAMLDocument.limitDepth else { return false }
        switch node.content {
        case .scalar(let value, _): text += quoted(value)
        case .sequence(let items):
            text += "["
            for item in items {
                guard append(item, to: &text, depth: depth + 1) else { return false }
                text += ", "
            }
            text += "]"
        case .mapping(let entries):
            text += "{"
            for entry in entries {
                guard entry.key.unicodeScalars.count <= 64 else { return false }
                text += quoted(entry.key) + ": "
                guard append(entry.value, to: &text, depth: depth + 1) else { return false }
                text += ", "
            }
            text += "}"
        }
        return true
    }

    /// Every character that is not plain ASCII as its number, so that none of them is a line break to YAML.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if (0x20...0x7e).contains(scalar.value), scalar != "\"", scalar != "\\" {
                quoted.unicodeScalars.append(scalar)
            } else {
                let digits = String(scalar.value, radix: 16)
                quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            }
        }
        return quoted + "\""
    }

    /// But for lines and quotes.
    private static func isSame(_ one: YAMLNode, _ other: YAMLNode) -> Bool {
        switch (one.content, other.content) {
        case (.scalar(let one, _), .scalar(let other, _)): Array(one.utf8) == Array(other.utf8)
        case (.sequence(let one), .sequence(let other)):
            one.count == other.count && zip(one, other).allSatisfy { isSame($0, $1) }
        case (.mapping(let one), .mapping(let other)):
            one.count == other.count
                && zip(one, other).allSatisfy {
                    Array($0.key.utf8) == Array($1.key.utf8) && isSame($0.value, $1.value)
                }
        default: false
        }
    }

    static let seeds: [[UInt8]] = [
        (
            0,
            """
            tls_server_config:
              cert_file: server.crt
              key: |
                KEY
              client_auth_type: RequireAndVerifyClientCert
              client_ca_file: authorities.crt
              client_allowed_sans: [prometheus.example, "spiffe://cluster.local/a"]
              min_version: TLS12
              max_version: TLS13
              cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
              prefer_server_cipher_suites: true
              curve_preferences: [CurveP256, X25519]
            """
        ),
        (
            0,
            """
            http_server_config:
              http2: false
              headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=1, X-XSS-Protection: }
            basic_auth_users:
              12: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW
            rate_limit: {interval: 100ms, burst: 20}
            """
        ),
        (
            1,
            """
            - name: prometheus
              sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
              scopes: [metrics, read]
              paths: [/metrics, /cluster/*]
            - {name: b, scopes: [profiles],
               sha256: "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824"}
            """
        ),
        (2, "a: &x [1, ~, 'it''s', \"\\u00e9\\n\"]\nb: {c: *x, ? d : !!str e}\n--- \n"),
        (2, "%YAML 1.1\n---\n- - - |2-\n     two\n\n   - >\n   folded\n   more\n...\n"),
        (2, "\u{feff}# only a comment\n"),
    ].map { [UInt8($0.0)] + Array($0.1.utf8) }
}
