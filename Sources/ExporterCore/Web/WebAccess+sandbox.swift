// SPDX-License-Identifier: Apache-2.0
import Credentials
import HTTPAccess
import Settings
import TransportSecurity
import WebConfig
import WorkerLink

extension ExporterWorker {
    /// Folders that this exporter reads while it serves: those of its web configuration, of the certificates and keys named
    /// there, and of its tokens. A file that is replaced by a rename is another file, so folders are named.
    public static func readablePaths(_ launch: WorkerLaunch) -> [String] {
        let settings = launch.settings
        var files = ReadFiles()
        // A file that cannot be used is reported when the exporter starts to serve.
        if let path = settings.webConfigFile { _ = try? LoadedWebConfig.load(path, files: &files) }
        if let path = settings.httpTokensFile { _ = try? AccessTokens(path: path, files: &files) }
        return Set(files.paths.map(folder)).sorted()
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
