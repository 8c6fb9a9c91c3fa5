// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// The part of a lane that never moves, header and agent table, mapped; and the checks that every user of it makes first.
final class LaneMemory {
    let descriptor: Int32
    let access: MappingAccess
    private let mapping: Mapping

    /// Takes a duplicate of the descriptor, because a ring that grows has to be mapped again.
    init(descriptor: Int32, access: MappingAccess) throws(LaneError) {
        precondition(LaneLayout.isConsistent, "the layout's constants fit together")
        do {
            let byteCount = try MemoryFile.byteCount(of: descriptor)
            guard byteCount == LaneLayout.fileBytes else {
                throw LaneError.unusable("its size is \(byteCount), not \(LaneLayout.fileBytes) bytes")
            }
            guard MemoryFile.hasSealedSize(descriptor) else {
                throw LaneError.unusable("its size is not sealed")
            }
            mapping = try Mapping(
                descriptor: descriptor, offset: 0, byteCount: LaneLayout.dataOffset, access: access)
            self.descriptor = try MemoryFile.duplicate(descriptor)
            self.access = access
        } catch let error as SystemError {
            // A lane that there is no room for now is not for that a bad one.
            let isWant = [EMFILE, ENFILE, ENOMEM].contains(error.code)
            throw isWant ? .noMemory(errno: error.code) : .unusable(error.description)
        } catch let error as LaneError {
            throw error
        } catch {
            throw .unusable("\(error)")
        }
    }

    deinit {
        MemoryFile.close(descriptor)
    }

    var words: SharedWords { SharedWords(base: mapping.base) }

    /// Whether anybody has finished formatting it.
    var isFormatted: Bool { words.loadAcquire(LaneLayout.Header.magic) != 0 }

    /// The flaw by which this header is not of this version and kind; nil when it is.
    func flaw(kind: LaneKind) -> String? {
        let words = words
        let expected: [(name: String, offset: Int, value: UInt64)] = [
            ("magic", LaneLayout.Header.magic, LaneLayout.magic),
            ("layout version", LaneLayout.Header.version, LaneLayout.version),
            ("file size", LaneLayout.Header.fileBytes, UInt64(LaneLayout.fileBytes)),
            ("number of slots", LaneLayout.Header.slotCount, UInt64(LaneLayout.Slot.count)),
            ("slot size", LaneLayout.Header.slotBytes, UInt64(LaneLayout.Slot.stride)),
            ("number of counters", LaneLayout.Header.counterCount, UInt64(LaneLayout.Header.counterWords)),
            ("record header size", LaneLayout.Header.recordHeaderBytes, UInt64(RecordLayout.headerBytes)),
        ]
        for field in expected {
            let value = words.loadAcquire(field.offset)
            if value != field.value { return "its \(field.name) is \(value), not \(field.value)" }
        }
        let written = low(words.loadRelaxed(LaneLayout.Header.kindAndIndex))
        if written != kind.rawValue { return "its kind is \(written), not \(kind.rawValue)" }
        return nil
    }

    /// The ring's place, or nil when the header names none inside the file.
    func readGeometry() -> RingGeometry? {
        guard let words = LaneLayout.Header.geometry.read(from: words) else { return nil }
        return RingGeometry(words: words)
    }

    func mapRing(_ geometry: RingGeometry) throws(LaneError) -> DoubleMapping {
        do {
            return try DoubleMapping(
                descriptor: descriptor, offset: geometry.areaOffset, byteCount: geometry.capacityBytes, access: access)
        } catch {
            throw .noMemory(errno: error.code)
        }
    }
}
