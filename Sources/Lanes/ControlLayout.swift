// SPDX-License-Identifier: Apache-2.0

/// Where everything stands in the `control` memory: a header, counters, and one row a worker. The rules are those of
/// ``LaneLayout``.
enum ControlLayout {
    /// `FODCCTRL` as a little-endian word.
    static let magicValue: UInt64 = 0x4C52_5443_4344_4F46
    static let versionValue: UInt64 = 1

    static let magic = 0
    static let version = 8
    static let fileBytesWord = 16
    static let supervisorProcess = 24
    static let supervisorStartTicks = 32

    static let counters = 512
    static let counterWords = 64

    /// The exporter, and the one before it while both run (a reload).
    static let exporterRows = 2
    /// More workers than anybody has cores for.
    static let ingestRows = 64
    static let rowCount = exporterRows + ingestRows
    static let rows = 1024
    static let rowStride = 384
    static let row = TwoCopies<20>(offset: 0)

    static let fileBytes = 64 << 10

    static func rowOffset(_ role: ControlRole, _ index: Int) -> Int {
        switch role {
        case .exporter:
            precondition((0..<exporterRows).contains(index), "there is no such exporter")
            return rows + index * rowStride
        case .ingest:
            precondition((0..<ingestRows).contains(index), "there is no such ingest worker")
            return rows + (exporterRows + index) * rowStride
        }
    }

    static let isConsistent: Bool = {
        precondition(counters + counterWords * LaneLayout.wordBytes <= rows, "the counters run into the rows")
        precondition(row.end <= rowStride, "a row is larger than its stride")
        precondition(rows + rowCount * rowStride <= fileBytes, "the rows do not fit")
        precondition(ControlWorker.wordCount == row.wordCount, "a row does not fill its copy")
        return true
    }()
}

/// Whose row of `control` is meant.
public enum ControlRole: String, Sendable {
    /// Index 0 is the present exporter, 1 the one before it while both run.
    case exporter
    case ingest
}
