// SPDX-License-Identifier: Apache-2.0

/// The shapes that secrets have inside values.
enum SecretValue {
    /// Longer names before `=` or `:` are looked at in part.
    private static let longestName = 64

    private static let keyBlock = Array("-----BEGIN".utf8)
    /// First parts of what an `Authorization` header field holds (RFC 9110 section 11).
    private static let authorizationSchemes: Set<String> = [
        "bearer", "basic", "digest", "negotiate", "apikey", "aws4-hmac-sha256",
    ]
    private static let longestScheme = 16

    static func hasSecretShape(_ value: String) -> Bool {
        let bytes = Array(value.utf8)
        var previous: ArraySlice<UInt8>?
        var start = 0
        // One after the other: a list of the tokens of a long value would be many times as long.
        for index in 0...bytes.count where index == bytes.count || isEndOfToken(bytes[index]) {
            if start < index {
                let token = bytes[start..<index]
                if hasUserInfo(token) || isWebToken(token) || isKeyBlock(token) { return true }
                if let previous, isAnnounced(token, by: previous) { return true }
                previous = token
            }
            start = index + 1
        }
        return hasNamedSecret(bytes)
    }

    /// White space, quotes and what separates entries of a list.
    private static func isEndOfToken(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: ",")
    }

    /// `-----BEGIN … KEY-----`, and certificates: RFC 7468.
    private static func isKeyBlock(_ token: ArraySlice<UInt8>) -> Bool {
        token.suffix(keyBlock.count) == keyBlock[...]
    }

    /// `user:password@host`, with or without a scheme before it (RFC 3986 section 3.2.1, and the DSNs of database
    /// drivers), and a user alone behind a scheme, because that may be a token.
    private static func hasUserInfo(_ token: ArraySlice<UInt8>) -> Bool {
        guard let at = token.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return token[..<at].contains(UInt8(ascii: ":"))
            && token[..<at].last.map { $0 != UInt8(ascii: "/") } ?? false
    }

    /// A JSON Web Token (RFC 7519): three parts, the first of which begins with `{"` in base64.
    private static func isWebToken(_ token: ArraySlice<UInt8>) -> Bool {
        token.starts(with: "eyJ".utf8) && token.count { $0 == UInt8(ascii: ".") } >= 2
    }

    /// `Bearer …`, and `--password …`.
    private static func isAnnounced(_ token: ArraySlice<UInt8>, by word: ArraySlice<UInt8>) -> Bool {
        if word.count <= longestScheme,
            authorizationSchemes.contains(String(decoding: word, as: UTF8.self).lowercased())
        {
            return true
        }
        return word.first == UInt8(ascii: "-") && token.first != UInt8(ascii: "-")
            && Secrets.isNameOfSecret(word.prefix(longestName))
    }

    /// `password=…`, `pwd: …`, `?access_token=…`.
    private static func hasNamedSecret(_ bytes: [UInt8]) -> Bool {
        var start = 0
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") {
                let name = bytes[max(start, index - longestName)..<index]
                if index + 1 < bytes.count, !name.isEmpty, Secrets.isNameOfSecret(name) { return true }
                start = index + 1
            } else if isEndOfEntry(byte) {
                start = index + 1
            }
        }
        return false
    }

    private static func isEndOfEntry(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: ","),
            UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "/"),
            UInt8(ascii: "@"), 0..<0x20:
            true
        default: false
        }
    }
}
