// SPDX-License-Identifier: Apache-2.0
import Credentials
import Settings
import YAML

extension WebConfig {
    /// The header fields that exporter-toolkit lets a file set, with the values that it takes; empty: any.
    private static let configurableHeaders: [(name: String, values: [String])] = [
        ("Content-Security-Policy", []), ("X-Frame-Options", ["deny", "sameorigin"]),
        ("X-Content-Type-Options", ["nosniff"]), ("X-XSS-Protection", []), ("Strict-Transport-Security", []),
    ]

    static func headers(_ field: YAMLField) throws(YAMLError) -> [ResponseField] {
        let fields = try field.fields(["http2", "headers"])
        if let field = fields["http2"], try field.bool() {
            throw field.error("HTTP/2 is not spoken on this port, HTTP/1.1 is: leave it out, or set it to false")
        }
        var headers: [ResponseField] = []
        for (name, field) in try fields["headers"]?.entries() ?? [] {
            guard let known = configurableHeaders.first(where: { $0.name == name }) else {
                throw field.error(
                    "cannot be set; there are \(configurableHeaders.map(\.name).joined(separator: ", "))")
            }
            let value = try field.string()
            // Blank: unset, as there.
            guard !value.isEmpty else { continue }
            guard known.values.isEmpty || known.values.contains(value) else {
                throw field.error("must be \(known.values.joined(separator: " or "))")
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), value.utf8.count <= limitHeaderBytes else {
                throw field.error("must be one line of at most \(limitHeaderBytes) bytes")
            }
            headers.append(ResponseField(name: name, value: value))
        }
        return headers
    }

    /// Part of each answer's head, for which the server has a buffer of 512 bytes that grows.
    private static let limitHeaderBytes = 4096

    static func users(_ field: YAMLField) throws(YAMLError) -> [String: PasswordHash] {
        var users: [String: PasswordHash] = [:]
        for (name, field) in try field.entries() {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: ":")) else {
                throw field.error("a user name has no colon, and at least one character")
            }
            let text = try field.string()
            do throws(PasswordHash.Flaw) {
                users[name] = try PasswordHash(text)
            } catch {
                throw field.error(error.reason)
            }
        }
        return users
    }

    static func rateLimit(_ field: YAMLField) throws(YAMLError) -> RateLimit? {
        let fields = try field.fields(["interval", "burst"])
        let burst = try fields["burst"]?.integer(0...1_000_000) ?? 0
        guard let field = fields["interval"] else { return nil }
        let text = try field.string()
        guard let interval = Duration(goSyntax: text), interval >= .zero, interval <= .seconds(24 * 3600) else {
            throw field.error("must be a duration from 0 (no limit) to 24h, with its unit, such as 100ms or 1s")
        }
        guard interval > .zero else { return nil }
        guard burst > 0 else {
            throw (fields["burst"] ?? field).error(
                "burst must be at least 1: with 0 no request at all would be answered")
        }
        return RateLimit(intervalNanoseconds: UInt64(clamping: interval.wholeNanoseconds), burst: burst)
    }
}
