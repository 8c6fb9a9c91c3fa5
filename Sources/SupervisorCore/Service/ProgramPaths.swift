// SPDX-License-Identifier: Apache-2.0

/// Where the programs are. Taken when the service starts: later the file may have been replaced by that of another version,
/// which is the one that is meant then.
public struct ProgramPaths: Equatable, Sendable {
    /// `fodc-proxy`.
    public var executable: String
    /// Of `fodc-ingest` and `fodc-exporter`.
    public var workerFolder: String
    /// Somebody has named it; else it is that of the executable.
    public var isWorkerFolderGiven: Bool

    /// - Parameter workerFolder: `nil`: the folder of the executable.
    public init(executable: String, workerFolder: String?) {
        self.executable = executable
        isWorkerFolderGiven = workerFolder != nil
        let slash = executable.lastIndex(of: "/")
        self.workerFolder = workerFolder ?? slash.map { String(executable[..<$0]) } ?? "."
    }
}
