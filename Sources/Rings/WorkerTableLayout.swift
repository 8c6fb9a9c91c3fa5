// SPDX-License-Identifier: Apache-2.0

/// Where everything stands in the `control` memory: a header, counters, and one row a worker. The rules are those of
/// ``RingLayout``.
enum WorkerTableLayout {
    /// `FODCCTRL` as a little-endian word.
    static let magicValue: UInt64 = 0x4C52_5443_4344_4F46
    static let versionValue: UInt64 = 3

    static let magic = 0
    static let version = 8
    static let fileBytesWord = 16
    static let supervisorProcess = 24
    static let supervisorStartTicks = 32

    static let counters = 512
    static let counterWords = 64

    /// Why the service is degraded, as UTF-8: the number of bytes, then as many words as they need.
    static let degradedReason = DoubleBuffered<65>(offset: 32 << 10)
    static let degradedReasonLimitBytes = 512

    /// Quarantined identities: hash, and until when (CLOCK_MONOTONIC).
    static let heldIdentities = 40 << 10
    static let heldIdentityStride = 64
    static let heldIdentityCount = 64
    static let heldIdentity = DoubleBuffered<2>(offset: 0)

    /// Exporters of even and of odd generation: two run at a time during a reload.
    static let exporterRows = 2
    /// More workers than anybody has cores for.
    static let ingestRows = 64
    static let recorderRows = 1
    static let rowCount = exporterRows + ingestRows + recorderRows
    static let rows = 1024
    static let rowStride = 384
    static let row = DoubleBuffered<20>(offset: 0)

    static let fileBytes = 64 << 10

    static func rowOffset(_ role: WorkerTableRole, _ index: Int) -> Int {
        switch role {
        case .exporter:
            precondition((0..<exporterRows).contains(index), "there is no such exporter")
            return rows + index * rowStride
        case .ingest:
            precondition((0..<ingestRows).contains(index), "there is no such ingest worker")
            return rows + (exporterRows + index) * rowStride
        case .recorder:
            precondition((0..<recorderRows).contains(index), "there is no such recorder")
            return rows + (exporterRows + ingestRows + index) * rowStride
        }
    }

    static let isConsistent: Bool = {
        precondition(counters + counterWords * RingLayout.wordBytes <= rows, "the counters run into the rows")
        precondition(row.end <= rowStride, "a row is larger than its stride")
        precondition(rows + rowCount * rowStride <= degradedReason.counter, "the rows run into the reason")
        precondition(degradedReason.end <= heldIdentities, "the reason runs into the identities")
        precondition(heldIdentity.end <= heldIdentityStride, "an identity is larger than its stride")
        precondition(heldIdentities + heldIdentityCount * heldIdentityStride <= fileBytes, "the identities do not fit")
        precondition(WorkerTableEntry.wordCount == row.wordCount, "a row does not fill its copy")
        return true
    }()
}

/// The role whose row of `control` is meant.
public enum WorkerTableRole: String, Sendable {
    /// The index is the parity of the exporter's generation; the larger generation of the two is the present one.
    case exporter
    case ingest
    case recorder
}
