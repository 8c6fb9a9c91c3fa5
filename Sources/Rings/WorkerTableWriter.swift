// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// The supervisor's side of `control`. To be used by one thread. Allocates nothing after its creation.
public final class WorkerTableWriter {
    private let mapping: Mapping
    private let words: SharedWords

    /// Formats new memory; on a predecessor's goes on with what it says. The descriptor may be closed afterwards.
    public init(descriptor: Int32) throws(RingError) {
        precondition(WorkerTableLayout.isConsistent, "the layout's constants fit together")
        mapping = try WorkerTableFile.map(descriptor, access: .readWrite)
        words = SharedWords(base: mapping.base)
        if words.loadAcquire(WorkerTableLayout.magic) != 0, let flaw = WorkerTableFile.flaw(of: words) {
            throw .unusable(flaw)
        }
        words.storeRelaxed(WorkerTableLayout.version, WorkerTableLayout.versionValue)
        words.storeRelaxed(WorkerTableLayout.fileBytesWord, UInt64(WorkerTableLayout.fileBytes))
        words.storeRelaxed(WorkerTableLayout.supervisorProcess, UInt64(UInt32(bitPattern: getpid())))
        words.storeRelaxed(WorkerTableLayout.supervisorStartTicks, ProcessStartTime.ownTicks())
        words.storeRelease(WorkerTableLayout.magic, WorkerTableLayout.magicValue)
    }

    /// Publishes what there is to say of a worker, all at once.
    public func set(_ worker: WorkerTableEntry, _ role: WorkerTableRole, _ index: Int) {
        WorkerTableLayout.row.write(worker.words, to: words, at: WorkerTableLayout.rowOffset(role, index))
    }

    public func worker(_ role: WorkerTableRole, _ index: Int) -> WorkerTableEntry {
        let row = WorkerTableLayout.row.read(from: words, at: WorkerTableLayout.rowOffset(role, index))
        return row.map(WorkerTableEntry.init) ?? WorkerTableEntry()
    }

    /// Cut to ``WorkerTableLayout/degradedReasonLimitBytes``; a cut in the middle of a character shows as U+FFFD.
    public func setDegradedReason(_ reason: String) {
        var values = InlineArray<65, UInt64>(repeating: 0)
        let bytes = reason.utf8.prefix(WorkerTableLayout.degradedReasonLimitBytes)
        values[0] = UInt64(bytes.count)
        for (index, byte) in bytes.enumerated() { values[1 + index / 8] |= UInt64(byte) << (index % 8 * 8) }
        WorkerTableLayout.degradedReason.write(values, to: words)
    }

    /// Holds an identity off until then (CLOCK_MONOTONIC). When all places are taken, the one that ends first makes room.
    public func quarantine(identityHash: UInt64, untilNanoseconds: UInt64) {
        var (place, earliest) = (0, UInt64.max)
        for index in 0..<WorkerTableLayout.heldIdentityCount {
            let held = WorkerTableLayout.heldIdentity.read(from: words, at: WorkerTableFile.heldOffset(index))
            let (hash, until) = held.map { ($0[0], $0[1]) } ?? (0, 0)
            if hash == identityHash {
                place = index
                break
            }
            if until < earliest { (place, earliest) = (index, until) }
        }
        WorkerTableLayout.heldIdentity.write(
            [identityHash, untilNanoseconds], to: words, at: WorkerTableFile.heldOffset(place))
        addCounter(WorkerTableReader.heldIdentityChanges, 1)
    }

    /// Identities that are or were quarantined: hash, and until when (CLOCK_MONOTONIC).
    public var heldIdentities: [(hash: UInt64, untilNanoseconds: UInt64)] {
        (0..<WorkerTableLayout.heldIdentityCount).compactMap { index in
            guard let held = WorkerTableLayout.heldIdentity.read(from: words, at: WorkerTableFile.heldOffset(index)),
                held[0] != 0
            else { return nil }
            return (held[0], held[1])
        }
    }

    public func counter(_ index: Int) -> UInt64 { words.loadRelaxed(WorkerTableFile.counterOffset(index)) }

    public static var counterCount: Int { WorkerTableLayout.counterWords }

    public func addCounter(_ index: Int, _ amount: UInt64) {
        setCounter(index, words.loadRelaxed(WorkerTableFile.counterOffset(index)) &+ amount)
    }

    public func setCounter(_ index: Int, _ value: UInt64) {
        words.storeRelaxed(WorkerTableFile.counterOffset(index), value)
    }
}

extension WorkerTableFile {
    static func heldOffset(_ index: Int) -> Int {
        WorkerTableLayout.heldIdentities + index * WorkerTableLayout.heldIdentityStride
    }

    static func counterOffset(_ index: Int) -> Int {
        precondition((0..<WorkerTableLayout.counterWords).contains(index), "there is no such counter")
        return WorkerTableLayout.counters + index * RingLayout.wordBytes
    }
}
