// SPDX-License-Identifier: Apache-2.0
import Credentials
import TransportSecurity
import YAML

/// The file of bearer tokens: a list of `{name, sha256, scopes, paths}`. It has hashes, not tokens.
public struct AccessTokens: Equatable, Sendable {
    public static let limitBytes = 1 << 20
    /// Each token that is presented is held against all of them.
    static let limitTokens = 1000

    public struct Entry: Equatable, Sendable {
        /// For logs.
        public let name: String
        /// Of the token as it is presented.
        public let sha256: [UInt8]
        public let scopes: Set<AccessScope>
        /// nil: every path of the scopes.
        public let paths: [PathPattern]?

        public func allows(path: String) -> Bool { paths?.contains { $0.matches(path) } ?? true }
    }

    public let entries: [Entry]

    /// All entries are looked at, so that the time says nothing about which of them is near.
    public func entry(ofToken token: String) -> Entry? {
        let hash = AccessToken.hash(token)
        var found: Entry?
        for entry in entries where isEqualInConstantTime(entry.sha256, hash) { found = entry }
        return found
    }

    public init(path: String, files: inout ReadFiles) throws(ConfigurationFileError) {
        let root = try WebConfig.document(path, files: &files, limitBytes: Self.limitBytes)
        do throws(YAMLError) {
            try self.init(root)
        } catch {
            throw ConfigurationFileError("\(path), \(error)")
        }
    }

    init(_ root: YAMLField) throws(YAMLError) {
        let items = try YAMLField(name: "tokens", node: root.node).list()
        guard items.count <= Self.limitTokens else { throw root.error("more than \(Self.limitTokens) tokens") }
        var entries: [Entry] = []
        for item in items {
            let entry = try Self.entry(item)
            guard !entries.contains(where: { $0.name == entry.name }) else {
                throw item.error("there is another token with the name \(entry.name)")
            }
            entries.append(entry)
        }
        self.entries = entries
    }

    private static func entry(_ item: YAMLField) throws(YAMLError) -> Entry {
        let fields = try item.fields(["name", "sha256", "scopes", "paths"])
        let name = try fields["name"]?.string() ?? ""
        guard AccessToken.isName(name) else {
            throw (fields["name"] ?? item).error(
                "name must be \(AccessToken.nameRule)")
        }
        guard let hash = AccessToken.bytes(hexText: try fields["sha256"]?.string() ?? ""),
            hash.count == SHA256.digestBytes
        else {
            throw (fields["sha256"] ?? item).error(
                "sha256 must be 64 hexadecimal digits: the hash of the token, which fodc-proxy ctl new-token prints")
        }
        var scopes: Set<AccessScope> = []
        for scope in try fields["scopes"]?.list() ?? [] {
            guard let known = AccessScope(rawValue: try scope.string()) else {
                throw scope.error("must be one of \(AccessScope.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            scopes.insert(known)
        }
        guard !scopes.isEmpty else { throw (fields["scopes"] ?? item).error("scopes must name at least one scope") }
        var paths: [PathPattern]?
        if let field = fields["paths"] {
            paths = []
            for path in try field.list() {
                guard let pattern = PathPattern(try path.string()) else {
                    throw path.error("must be a path such as /metrics, or the beginning of some such as /cluster/*")
                }
                paths?.append(pattern)
            }
            guard paths?.isEmpty == false else { throw field.error("is an empty list, which would allow nothing") }
        }
        return Entry(name: name, sha256: hash, scopes: scopes, paths: paths)
    }
}
