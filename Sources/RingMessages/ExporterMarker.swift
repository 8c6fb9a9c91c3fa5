// SPDX-License-Identifier: Apache-2.0

/// In-flight markers of an exporter, for the supervisor when it is dead: counters in the header of its command ring to ingest 0. Each
/// is a ``RecordName``'s word, 0 while nothing is read. They mean nothing in a ring whose writer has another generation.
public enum ExporterMarker: Int, CaseIterable, Sendable {
    /// The record that its event loop is reading.
    case eventLoop = 0
    // The records that the threads for reports are decoding.
    case topologyThread = 1
    case clusterThread
    case lifecycleThread
    case configurationThread
    case diagnosticsThread
    case profilesThread
    case graphThread
}
