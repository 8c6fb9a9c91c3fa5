// SPDX-License-Identifier: Apache-2.0

/// The address of an endpoint that is read over plain HTTP.
public struct ScrapeURL: Sendable, Equatable {
    public let endpoint: ProxyEndpoint
    /// Path and query.
    public let target: String

    /// Reads `http://host[:port][/path][?query]`; without a path it is `/metrics`. `nil` for everything else.
    public init?(_ text: String) {
        let scheme = "http://"
        guard text.lowercased().hasPrefix(scheme), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.contains("@" as Character) else { return nil }
        let hasPort = authority.hasSuffix("]") ? false : authority.contains(":" as Character)
        guard let endpoint = ProxyEndpoint(hasPort ? String(authority) : "\(authority):80") else { return nil }
        let target = rest.dropFirst(authority.count).prefix { $0 != "#" }
        self.endpoint = endpoint
        self.target = target.isEmpty ? "/metrics" : target.hasPrefix("/") ? String(target) : "/\(target)"
    }
}
