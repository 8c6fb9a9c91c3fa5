// SPDX-License-Identifier: Apache-2.0
import Credentials
import TransportSecurity
import YAML

/// The web configuration file: TLS, users, header fields and a rate limit in the format of Prometheus' exporter-toolkit
/// (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md). A key that cannot be honoured is an
/// error with its name.
public struct WebConfig: Equatable, Sendable {
    /// Far above what a file with a thousand users has.
    public static let limitBytes = 256 * 1024
    /// nil: plain HTTP.
    public var tls: TLSServerSettings?
    /// Added to each answer, in the file's order.
    public var headers: [ResponseField] = []
    /// The users that may ask for everything, by name; empty: no request needs credentials.
    public var users: [String: PasswordHash] = [:]
    public var rateLimit: RateLimit?

    public struct ResponseField: Equatable, Sendable {
        public let name: String
        public let value: String
    }

    /// A request each interval, and so many at once after a pause.
    public struct RateLimit: Equatable, Sendable {
        public let intervalNanoseconds: UInt64
        public let burst: Int

        public init(intervalNanoseconds: UInt64, burst: Int) {
            self.intervalNanoseconds = intervalNanoseconds
            self.burst = burst
        }
    }

    /// - Parameter folder: to which paths in the file are relative; with its slash, or empty.
    init(_ root: YAMLField, folder: String) throws(YAMLError) {
        let fields = try root.fields(["tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"])
        if let field = fields["tls_server_config"] { tls = try Self.tls(field, folder: folder) }
        if let field = fields["http_server_config"] { headers = try Self.headers(field) }
        if let field = fields["basic_auth_users"] { users = try Self.users(field) }
        if let field = fields["rate_limit"] { rateLimit = try Self.rateLimit(field) }
    }

    /// Reads the file. Certificates are not looked at: ``LoadedWebConfig`` does.
    public init(path: String, files: inout ReadFiles) throws(ConfigurationFileError) {
        let root = try Self.document(path, files: &files, limitBytes: Self.limitBytes)
        do throws(YAMLError) {
            try self.init(root, folder: path.lastIndex(of: "/").map { String(path[...$0]) } ?? "")
        } catch {
            throw ConfigurationFileError("\(path), \(error)")
        }
    }

    static func document(
        _ path: String, files: inout ReadFiles, limitBytes: Int
    ) throws(ConfigurationFileError) -> YAMLField {
        let bytes = try files.read(path, limitBytes: limitBytes)
        let node: YAMLNode?
        do throws(YAMLError) {
            node = try YAMLDocument.parse(bytes)
        } catch {
            throw ConfigurationFileError("\(path), \(error)")
        }
        // One that is being written would switch all protection off.
        guard let node else { throw ConfigurationFileError("\(path) is empty; write {} if nothing is to be set") }
        return YAMLField(name: "", node: node)
    }
}

/// A web configuration with its certificates read: what a listener serves with.
public struct LoadedWebConfig: Sendable {
    public let config: WebConfig
    /// nil: plain HTTP.
    public let tls: TLSServerContext?

    /// Reads the file and all that it names.
    public static func load(_ path: String, files: inout ReadFiles) throws(ConfigurationFileError) -> LoadedWebConfig {
        let config = try WebConfig(path: path, files: &files)
        guard let settings = config.tls else { return LoadedWebConfig(config: config, tls: nil) }
        var names = TLSServerContext.SettingNames()
        if case .text = settings.certificateChain { names.certificateChain = "cert" }
        if case .text = settings.privateKey { names.privateKey = "key" }
        if case .text = settings.clientAuthorities { names.clientAuthorities = "client_ca" }
        do throws(ConfigurationFileError) {
            return LoadedWebConfig(
                config: config, tls: try TLSServerContext.load(settings, files: &files, names: names))
        } catch {
            throw ConfigurationFileError("\(path), tls_server_config: \(error)")
        }
    }
}
