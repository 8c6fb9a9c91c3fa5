// SPDX-License-Identifier: Apache-2.0
import Platform

/// Everybody else's side of `control`: who lives, which only the supervisor judges. Reading allocates nothing.
public final class ControlReader {
    private let mapping: Mapping
    private let words: SharedWords

    /// The descriptor may be closed afterwards. Throws ``LaneError/notYet`` before the supervisor has formatted it.
    public init(descriptor: Int32) throws(LaneError) {
        precondition(ControlLayout.isConsistent, "the layout's constants fit together")
        mapping = try ControlFile.map(descriptor, access: .readOnly)
        words = SharedWords(base: mapping.base)
        guard words.loadAcquire(ControlLayout.magic) != 0 else { throw .notYet }
        if let flaw = ControlFile.flaw(of: words) { throw .unusable(flaw) }
    }

    /// The supervisor's entry of a worker, whole as it was at one time.
    public func worker(_ role: ControlRole, _ index: Int) -> ControlWorker {
        let row = ControlLayout.row.read(from: words, at: ControlLayout.rowOffset(role, index))
        return row.map(ControlWorker.init) ?? ControlWorker()
    }

    /// The entry of the exporter of this generation; `nil` when there is another in its place.
    public func exporter(generation: UInt64) -> ControlWorker? {
        let row = worker(.exporter, Int(generation % 2))
        return row.generation == generation ? row : nil
    }

    /// The exporter that was started last, and, first, the one before it.
    public var exporters: (previous: ControlWorker, present: ControlWorker) {
        let (even, odd) = (worker(.exporter, 0), worker(.exporter, 1))
        return even.generation > odd.generation ? (odd, even) : (even, odd)
    }

    /// Whether agents of this identity are not to be taken now.
    public func isHeldOff(identityHash: UInt64, nowNanoseconds: UInt64) -> Bool {
        guard counter(Self.heldIdentityChanges) > 0 else { return false }
        for index in 0..<ControlLayout.heldIdentityCount {
            let held = ControlLayout.heldIdentity.read(from: words, at: ControlFile.heldOffset(index))
            if let held, held[0] == identityHash, held[1] > nowNanoseconds { return true }
        }
        return false
    }

    /// Rises when an identity is quarantined: workers with connections of it look then.
    public var heldIdentityChangeCount: UInt64 { counter(Self.heldIdentityChanges) }

    static let heldIdentityChanges = ControlLayout.counterWords - 1

    /// Why the supervisor holds the service for degraded; empty: it does not.
    public var degradedReason: String {
        guard let read = ControlLayout.degradedReason.read(from: words) else { return "" }
        let byteCount = min(Int(clamping: read[0]), ControlLayout.degradedReasonLimitBytes)
        var bytes: [UInt8] = []
        for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: read[1 + index / 8] >> (index % 8 * 8))) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The most workers of a role that there can be.
    public static func maximumCount(_ role: ControlRole) -> Int {
        switch role {
        case .exporter: ControlLayout.exporterRows
        case .ingest: ControlLayout.ingestRows
        case .recorder: ControlLayout.recorderRows
        }
    }

    public static var counterCount: Int { ControlLayout.counterWords }

    public func counter(_ index: Int) -> UInt64 { words.loadRelaxed(ControlFile.counterOffset(index)) }

    public var supervisorProcessID: Int32 {
        Int32(truncatingIfNeeded: words.loadRelaxed(ControlLayout.supervisorProcess))
    }
}
