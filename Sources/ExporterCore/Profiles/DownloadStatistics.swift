// SPDX-License-Identifier: Apache-2.0

/// Counters of downloads since the start of this exporter.
struct DownloadStatistics {
    var started: UInt64 = 0
    /// Handed to the HTTP server as a whole.
    var completed: UInt64 = 0
    var failures: [DownloadFailure: UInt64] = [:]
    /// The client went away, or was cut because it took nothing.
    var clientsGone: UInt64 = 0
    /// Bytes of profiles that were handed to the HTTP server.
    var bytes: UInt64 = 0
    /// At present.
    var underWay = 0
    /// In spool files, at present and at most.
    var spooledBytes: UInt64 = 0
    var spooledPeakBytes: UInt64 = 0
    var reservedBytes: UInt64 = 0
}
