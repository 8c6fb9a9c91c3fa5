// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// The supervisor's side of `control`. To be used by one thread. Allocates nothing after its creation.
public final class ControlWriter {
    private let mapping: Mapping
    private let words: SharedWords

    /// Formats new memory; on a predecessor's goes on with what it says. The descriptor may be closed afterwards.
    public init(descriptor: Int32) throws(LaneError) {
        precondition(ControlLayout.isConsistent, "the layout's constants fit together")
        mapping = try ControlFile.map(descriptor, access: .readWrite)
        words = SharedWords(base: mapping.base)
        if words.loadAcquire(ControlLayout.magic) != 0, let flaw = ControlFile.flaw(of: words) { throw .unusable(flaw) }
        words.storeRelaxed(ControlLayout.version, ControlLayout.versionValue)
        words.storeRelaxed(ControlLayout.fileBytesWord, UInt64(ControlLayout.fileBytes))
        words.storeRelaxed(ControlLayout.supervisorProcess, UInt64(UInt32(bitPattern: getpid())))
        words.storeRelaxed(ControlLayout.supervisorStartTicks, ProcessStartTime.ownTicks())
        words.storeRelease(ControlLayout.magic, ControlLayout.magicValue)
    }

    /// Publishes what there is to say of a worker, all at once.
    public func set(_ worker: ControlWorker, _ role: ControlRole, _ index: Int) {
        ControlLayout.row.write(worker.words, to: words, at: ControlLayout.rowOffset(role, index))
    }

    public func worker(_ role: ControlRole, _ index: Int) -> ControlWorker {
        let row = ControlLayout.row.read(from: words, at: ControlLayout.rowOffset(role, index))
        return row.map(ControlWorker.init) ?? ControlWorker()
    }

    public static var counterCount: Int { ControlLayout.counterWords }

    public func addCounter(_ index: Int, _ amount: UInt64) {
        setCounter(index, words.loadRelaxed(ControlFile.counterOffset(index)) &+ amount)
    }

    public func setCounter(_ index: Int, _ value: UInt64) {
        words.storeRelaxed(ControlFile.counterOffset(index), value)
    }
}

extension ControlFile {
    static func counterOffset(_ index: Int) -> Int {
        precondition((0..<ControlLayout.counterWords).contains(index), "there is no such counter")
        return ControlLayout.counters + index * LaneLayout.wordBytes
    }
}
