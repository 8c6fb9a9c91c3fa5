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

    /// What the supervisor says of a worker, whole as it was at one time.
    public func worker(_ role: ControlRole, _ index: Int) -> ControlWorker {
        let row = ControlLayout.row.read(from: words, at: ControlLayout.rowOffset(role, index))
        return row.map(ControlWorker.init) ?? ControlWorker()
    }

    /// The most workers of a role that there can be.
    public static func maximumCount(_ role: ControlRole) -> Int {
        switch role {
        case .exporter: ControlLayout.exporterRows
        case .ingest: ControlLayout.ingestRows
        }
    }

    public static var counterCount: Int { ControlLayout.counterWords }

    public func counter(_ index: Int) -> UInt64 { words.loadRelaxed(ControlFile.counterOffset(index)) }

    public var supervisorProcessID: Int32 {
        Int32(truncatingIfNeeded: words.loadRelaxed(ControlLayout.supervisorProcess))
    }
}
