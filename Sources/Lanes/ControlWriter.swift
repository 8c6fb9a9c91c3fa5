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

    /// Cut to ``ControlLayout/degradedReasonLimitBytes``; a cut in the middle of a character shows as U+FFFD.
    public func setDegradedReason(_ reason: String) {
        var values = InlineArray<65, UInt64>(repeating: 0)
        let bytes = reason.utf8.prefix(ControlLayout.degradedReasonLimitBytes)
        values[0] = UInt64(bytes.count)
        for (index, byte) in bytes.enumerated() { values[1 + index / 8] |= UInt64(byte) << (index % 8 * 8) }
        ControlLayout.degradedReason.write(values, to: words)
    }

    /// Holds an identity off until then (CLOCK_MONOTONIC). When all places are taken, the one that ends first makes room.
    public func holdOff(identityHash: UInt64, untilNanoseconds: UInt64) {
        var (place, earliest) = (0, UInt64.max)
        for index in 0..<ControlLayout.heldIdentityCount {
            let held = ControlLayout.heldIdentity.read(from: words, at: ControlFile.heldOffset(index))
            let (hash, until) = held.map { ($0[0], $0[1]) } ?? (0, 0)
            if hash == identityHash {
                place = index
                break
            }
            if until < earliest { (place, earliest) = (index, until) }
        }
        ControlLayout.heldIdentity.write(
            [identityHash, untilNanoseconds], to: words, at: ControlFile.heldOffset(place))
        addCounter(ControlReader.heldIdentityChanges, 1)
    }

    /// Identities that are or were quarantined: hash, and until when (CLOCK_MONOTONIC).
    public var heldIdentities: [(hash: UInt64, untilNanoseconds: UInt64)] {
        (0..<ControlLayout.heldIdentityCount).compactMap { index in
            guard let held = ControlLayout.heldIdentity.read(from: words, at: ControlFile.heldOffset(index)),
                held[0] != 0
            else { return nil }
            return (held[0], held[1])
        }
    }

    public func counter(_ index: Int) -> UInt64 { words.loadRelaxed(ControlFile.counterOffset(index)) }

    public static var counterCount: Int { ControlLayout.counterWords }

    public func addCounter(_ index: Int, _ amount: UInt64) {
        setCounter(index, words.loadRelaxed(ControlFile.counterOffset(index)) &+ amount)
    }

    public func setCounter(_ index: Int, _ value: UInt64) {
        words.storeRelaxed(ControlFile.counterOffset(index), value)
    }
}

extension ControlFile {
    static func heldOffset(_ index: Int) -> Int {
        ControlLayout.heldIdentities + index * ControlLayout.heldIdentityStride
    }

    static func counterOffset(_ index: Int) -> Int {
        precondition((0..<ControlLayout.counterWords).contains(index), "there is no such counter")
        return ControlLayout.counters + index * LaneLayout.wordBytes
    }
}
