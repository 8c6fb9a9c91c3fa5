// SPDX-License-Identifier: Apache-2.0

/// The role of a worker process.
public enum WorkerRole: String, CaseIterable, Sendable {
    case ingest, exporter
    /// Writes the black box; `--record-interval 0` starts no recorder.
    case recorder

    /// There is one of it at most, which has no number in its name.
    public var isSingle: Bool { self != .ingest }

    /// The program's file name, beside the supervisor's.
    public var executableName: String { "fodc-\(rawValue)" }
}
