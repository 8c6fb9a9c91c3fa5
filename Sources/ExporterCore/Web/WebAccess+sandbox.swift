// SPDX-License-Identifier: Apache-2.0
import Credentials
import HTTPAccess
import Settings
import TransportSecurity
import WebConfig
import WorkerLink

extension ExporterWorker {
    /// Folders that this exporter reads while it serves: those of its web configuration, of the certificates and keys named
    /// there, and of its tokens.
    public static func readablePaths(_ launch: WorkerLaunch) -> [String] {
        let settings = launch.settings
        var files = ReadFiles()
        // A file that cannot be used is reported when the exporter starts to serve.
        if let path = settings.webConfigFile { _ = try? LoadedWebConfig.load(path, files: &files) }
        if let path = settings.httpTokensFile { _ = try? AccessTokens(path: path, files: &files) }
        return files.folders
    }

    /// Throws where a file that the settings name cannot be used, with the file, the line and the remedy.
    public static func checkFiles(_ settings: ProxySettings) throws {
        var files = ReadFiles()
        if let path = settings.webConfigFile { _ = try LoadedWebConfig.load(path, files: &files) }
        if let path = settings.httpTokensFile { _ = try AccessTokens(path: path, files: &files) }
    }
}
