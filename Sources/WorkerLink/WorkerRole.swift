// SPDX-License-Identifier: Apache-2.0

/// The role of a worker process.
public enum WorkerRole: String, CaseIterable, Sendable {
    case ingest, exporter

    /// The program's file name, beside the supervisor's.
    public var executableName: String { "fodc-\(rawValue)" }
}
