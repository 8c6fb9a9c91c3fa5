// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import Platform
import RingMessages
import Settings
import TransportSecurity
import WorkerLink

/// Certificate, key and authorities of the agents' TLS listener, read anew when they change. Everything on the event loop.
final class AgentsTLS {
    /// As metrics and log lines call the files.
    private static let name = "grpc-tls"

    private let thread: JobThread
    private let file: ReloadedFile<TLSServerContext>
    private let counters: IngestCounters

    /// Reads the files: a worker that cannot serve as it is told does not serve.
    /// - Returns: `nil` where agents do not connect with TLS.
    init?(settings: ProxySettings, counters: IngestCounters, loop: any EventLoop, logger: Logger) throws {
        guard let tls = TLSServerSettings(agentsOf: settings) else { return nil }
        self.counters = counters
        thread = try JobThread(name: "tls-files")
        file = try ReloadedFile(name: Self.name, loop: loop, thread: thread, logger: logger) {
            (files) throws(ConfigurationFileError) in try Self.load(tls, files: &files)
        }
    }

    deinit { thread.stop() }

    private static func load(
        _ settings: TLSServerSettings, files: inout ReadFiles
    ) throws(ConfigurationFileError) -> TLSServerContext {
        var names = TLSServerContext.SettingNames()
        names.certificateChain = SettingsFlag.grpcTLSCertificateFile.option
        names.privateKey = SettingsFlag.grpcTLSKeyFile.option
        names.clientAuthorities = SettingsFlag.grpcTLSClientAuthorityFile.option
        return try TLSServerContext.load(settings, files: &files, names: names)
    }

    /// For connections that come from now on; those that are there keep what they began with.
    var context: TLSServerContext { file.value }

    func start() { file.start() }

    func stop() { file.stop() }

    /// Whether the files can be served with: for a worker that stands by.
    static func check(_ settings: ProxySettings) throws {
        guard let tls = TLSServerSettings(agentsOf: settings) else { return }
        var files = ReadFiles()
        _ = try load(tls, files: &files)
    }

    /// Folders that an ingest worker reads while it serves.
    static func readablePaths(_ settings: ProxySettings) -> [String] {
        guard let tls = TLSServerSettings(agentsOf: settings) else { return [] }
        var files = ReadFiles()
        // A file that cannot be used is reported when the worker starts to serve.
        _ = try? load(tls, files: &files)
        return files.folders
    }
}

extension AgentsTLS: IngestFeature {
    func tick(nowNanoseconds: UInt64) {
        counters.set(.certificateExpiry, Int(clamping: context.expiresAtSeconds))
        counters.set(.certificateFilesBad, file.isLastReloadSuccessful ? 0 : 1)
    }
}

extension TLSServerSettings {
    /// `nil` where agents do not connect with TLS.
    init?(agentsOf settings: ProxySettings) {
        guard settings.grpcTLSListenAddress != nil, let certificate = settings.grpcTLSCertificateFile,
            let key = settings.grpcTLSKeyFile
        else { return nil }
        self.init(certificateChain: .file(certificate), privateKey: .file(key))
        clientPolicy =
            switch settings.grpcTLSClientAuth {
            case .none: .notRequested
            case .optional: .verifiedIfGiven
            case .require: .required
            }
        clientAuthorities = settings.grpcTLSClientAuthorityFile.map { .file($0) }
        applicationProtocols = ["h2"]
    }
}

extension IngestWorker {
    /// Folders that this worker reads while it serves: those of its certificates.
    public static func readablePaths(_ launch: WorkerLaunch) -> [String] { AgentsTLS.readablePaths(launch.settings) }

    /// Throws where a file that the settings name cannot be used, with the file and the remedy.
    public static func checkFiles(_ settings: ProxySettings) throws { try AgentsTLS.check(settings) }
}
