// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// The part of a ring that never moves, header and agent table, mapped; and the checks that every user of it makes first.
final class RingMemory {
    let descriptor: Int32
    let access: MappingAccess
    private let mapping: Mapping

    /// Takes a duplicate of the descriptor, because a ring that grows has to be mapped again.
    init(descriptor: Int32, access: MappingAccess) throws(RingError) {
        precondition(RingLayout.isConsistent, "the layout's constants fit together")
        do {
            let byteCount = try MemoryFile.byteCount(of: descriptor)
            guard byteCount == RingLayout.fileBytes else {
                throw RingError.unusable("its size is \(byteCount), not \(RingLayout.fileBytes) bytes")
            }
            guard MemoryFile.hasSealedSize(descriptor) else {
                throw RingError.unusable("its size is not sealed")
            }
            mapping = try Mapping(
                descriptor: descriptor, offset: 0, byteCount: RingLayout.dataOffset, access: access)
            self.descriptor = try MemoryFile.duplicate(descriptor)
            self.access = access
        } catch let error as SystemError {
            // A ring that there is no room for now is not for that a bad one.
            let isWant = [EMFILE, ENFILE, ENOMEM].contains(error.code)
            throw isWant ? .noMemory(errno: error.code) : .unusable(error.description)
        } catch let error as RingError {
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
    var isFormatted: Bool { words.loadAcquire(RingLayout.Header.magic) != 0 }

    /// The flaw by which this header is not of this version and kind; nil when it is.
    func flaw(kind: RingKind) -> String? {
        let words = words
        let expected: [(name: String, offset: Int, value: UInt64)] = [
            ("magic", RingLayout.Header.magic, RingLayout.magic),
            ("layout version", RingLayout.Header.version, RingLayout.version),
            ("file size", RingLayout.Header.fileBytes, UInt64(RingLayout.fileBytes)),
            ("number of slots", RingLayout.Header.slotCount, UInt64(RingLayout.Slot.count)),
            ("slot size", RingLayout.Header.slotBytes, UInt64(RingLayout.Slot.stride)),
            ("number of counters", RingLayout.Header.counterCount, UInt64(RingLayout.Header.counterWords)),
            ("record header size", RingLayout.Header.recordHeaderBytes, UInt64(RecordLayout.headerBytes)),
        ]
        for field in expected {
            let value = words.loadAcquire(field.offset)
            if value != field.value { return "its \(field.name) is \(value), not \(field.value)" }
        }
        let written = low(words.loadRelaxed(RingLayout.Header.kindAndIndex))
        if written != kind.rawValue { return "its kind is \(written), not \(kind.rawValue)" }
        return nil
    }

    /// The ring's place, or nil when the header names none inside the file.
    func readGeometry() -> RingGeometry? {
        guard let words = RingLayout.Header.geometry.read(from: words) else { return nil }
        return RingGeometry(words: words)
    }

    func mapArea(_ geometry: RingGeometry) throws(RingError) -> DoubleMapping {
        do {
            return try DoubleMapping(
                descriptor: descriptor, offset: geometry.areaOffset, byteCount: geometry.capacityBytes, access: access)
        } catch {
            throw .noMemory(errno: error.code)
        }
    }
}
