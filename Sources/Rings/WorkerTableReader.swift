// SPDX-License-Identifier: Apache-2.0
import Platform

/// Everybody else's side of `control`: who lives, which only the supervisor judges. Reading allocates nothing.
public final class WorkerTableReader {
    private let mapping: Mapping
    private let words: SharedWords

    /// The descriptor may be closed afterwards. Throws ``RingError/notYet`` before the supervisor has formatted it.
    public init(descriptor: Int32) throws(RingError) {
        precondition(WorkerTableLayout.isConsistent, "the layout's constants fit together")
        mapping = try WorkerTableFile.map(descriptor, access: .readOnly)
        words = SharedWords(base: mapping.base)
        guard words.loadAcquire(WorkerTableLayout.magic) != 0 else { throw .notYet }
        if let flaw = WorkerTableFile.flaw(of: words) { throw .unusable(flaw) }
    }

    /// The supervisor's entry of a worker, whole as it was at one time.
    public func worker(_ role: WorkerTableRole, _ index: Int) -> WorkerTableEntry {
        let row = WorkerTableLayout.row.read(from: words, at: WorkerTableLayout.rowOffset(role, index))
        return row.map(WorkerTableEntry.init) ?? WorkerTableEntry()
    }

    /// The entry of the exporter of this generation; `nil` when there is another in its place.
    public func exporter(generation: UInt64) -> WorkerTableEntry? {
        let row = worker(.exporter, Int(generation % 2))
        return row.generation == generation ? row : nil
    }

    /// The exporter that was started last, and, first, the one before it.
    public var exporters: (previous: WorkerTableEntry, present: WorkerTableEntry) {
        let (even, odd) = (worker(.exporter, 0), worker(.exporter, 1))
        return even.generation > odd.generation ? (odd, even) : (even, odd)
    }

    /// Whether agents of this identity are not to be taken now.
    public func isQuarantined(identityHash: UInt64, nowNanoseconds: UInt64) -> Bool {
        guard counter(Self.heldIdentityChanges) > 0 else { return false }
        for index in 0..<WorkerTableLayout.heldIdentityCount {
            let held = WorkerTableLayout.heldIdentity.read(from: words, at: WorkerTableFile.heldOffset(index))
            if let held, held[0] == identityHash, held[1] > nowNanoseconds { return true }
        }
        return false
    }

    /// Rises when an identity is quarantined: workers with connections of it look then.
    public var heldIdentityChangeCount: UInt64 { counter(Self.heldIdentityChanges) }

    static let heldIdentityChanges = WorkerTableLayout.counterWords - 1

    /// Why the supervisor holds the service for degraded; empty: it does not.
    public var degradedReason: String {
        guard let read = WorkerTableLayout.degradedReason.read(from: words) else { return "" }
        let byteCount = min(Int(clamping: read[0]), WorkerTableLayout.degradedReasonLimitBytes)
        var bytes: [UInt8] = []
        for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: read[1 + index / 8] >> (index % 8 * 8))) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The most workers of a role that there can be.
    public static func maximumCount(_ role: WorkerTableRole) -> Int {
        switch role {
        case .exporter: WorkerTableLayout.exporterRows
        case .ingest: WorkerTableLayout.ingestRows
        case .recorder: WorkerTableLayout.recorderRows
        }
    }

    public static var counterCount: Int { WorkerTableLayout.counterWords }

    public func counter(_ index: Int) -> UInt64 { words.loadRelaxed(WorkerTableFile.counterOffset(index)) }

    public var supervisorProcessID: Int32 {
        Int32(truncatingIfNeeded: words.loadRelaxed(WorkerTableLayout.supervisorProcess))
    }
}
