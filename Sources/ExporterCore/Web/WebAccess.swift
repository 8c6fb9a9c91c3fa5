// SPDX-License-Identifier: Apache-2.0
import Credentials
import HTTPAccess
import HTTPServer
import Logging
import NIOCore
import Platform
import Settings
import TransportSecurity
import WebConfig

/// Access control over HTTP: the files that configure it, read anew when they change, and the gate that applies them to requests.
/// Everything on the event loop.
final class WebAccess {
    private let settings: ProxySettings
    private let loop: any EventLoop
    private let logger: Logger
    /// Where files are read, and where passwords are checked; nil where there are no files.
    private let threads: (files: JobThread, passwords: JobThread)?
    private let web: ReloadedFile<LoadedWebConfig>?
    private let tokens: ReloadedFile<AccessTokens>?
    private weak var gate: AccessGate?
    private weak var server: HTTPServer?

    /// Reads the files: an exporter that cannot serve as it is told does not serve.
    init(settings: ProxySettings, loop: any EventLoop, logger: Logger) throws {
        self.settings = settings
        self.loop = loop
        self.logger = logger
        guard settings.webConfigFile != nil || settings.httpTokensFile != nil else {
            threads = nil
            web = nil
            tokens = nil
            return
        }
        let thread = try JobThread(name: "web-files")
        threads = (thread, try JobThread(name: "passwords"))
        web = try settings.webConfigFile.map { path in
            try ReloadedFile<LoadedWebConfig>(name: "web-config", loop: loop, thread: thread, logger: logger) {
                (files) throws(ConfigurationFileError) in try LoadedWebConfig.load(path, files: &files)
            }
        }
        tokens = try settings.httpTokensFile.map { path in
            try ReloadedFile<AccessTokens>(name: "http-tokens", loop: loop, thread: thread, logger: logger) {
                (files) throws(ConfigurationFileError) in try AccessTokens(path: path, files: &files)
            }
        }
        // The library reads files at its first use, so it is used once now.
        SHA256.prepare()
    }

    deinit {
        threads?.files.stop()
        threads?.passwords.stop()
    }

    func configure(_ configuration: inout HTTPServer.Configuration) {
        configuration.allowedSources = settings.httpAllowFrom
        if let web { configuration.security = { web.value.tls } }
    }

    /// The gate in front of a handler; the handler itself where nothing has to be looked at.
    func gate(
        in handler: any HTTPRequestHandler, withoutCredentials: @escaping AccessGate.Endpoint,
        refusalPage: @escaping (HTTPRequest, HTTPResponder, AccessGate.Refusal) -> Bool
    ) -> any HTTPRequestHandler {
        guard let threads else { return handler }
        let gate = AccessGate(
            inner: handler, loop: loop, thread: threads.passwords, logger: logger,
            healthRequiresCredentials: settings.healthRequiresAuth, publicHealth: withoutCredentials)
        gate.refusalPage = refusalPage
        self.gate = gate
        return gate
    }

    /// The server that the files are for.
    func serve(by server: HTTPServer) {
        self.server = server
        if let web { use(web.value) }
        if let tokens { gate?.use(tokens.value) }
        web?.onChange = { [weak self] in self?.use($0) }
        tokens?.onChange = { [weak self] in self?.gate?.use($0) }
    }

    private func use(_ loaded: LoadedWebConfig) {
        gate?.use(loaded.config)
        server?.additionalFields = loaded.config.headers.map { ($0.name, $0.value) }
    }

    func start() {
        web?.start()
        tokens?.start()
    }

    func stop() {
        web?.stop()
        tokens?.stop()
    }

    // MARK: For metrics

    var statistics: HTTPStatistics { server?.statistics ?? HTTPStatistics() }
    var rateLimited: UInt64 { gate?.rateLimited ?? 0 }
    /// nil without TLS.
    var certificateExpiresAtSeconds: Int64? { web?.value.tls?.expiresAtSeconds }
    /// Which files are in use as they are on disk.
    var reloads: [(String, Bool)] {
        [web.map { ($0.name, $0.isLastReloadSuccessful) }, tokens.map { ($0.name, $0.isLastReloadSuccessful) }]
            .compactMap { $0 }
    }

    func failureCount(_ failure: AccessFailure) -> UInt64 {
        gate?.failureCounts.first { $0.failure == failure }?.count ?? 0
    }
}
