// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

@testable import Rings

/// A data ring with its writer, and a hand that writes into its memory beside the writer.
final class RingUnderFuzz {
    static let ringBytes = 64 << 10

    let descriptor: Int32
    let writer: RingWriter
    /// Something stands in the ring that its writer has not written, and that bears the checksums of a record.
    private(set) var hasForgedRecords = false

    init() throws {
        descriptor = try RingFile.create(name: "fuzz-ring", kind: .data)
        writer = try RingWriter.format(
            descriptor: descriptor, kind: .data, index: 0, generation: 1, maximumRingBytes: 4 * Self.ringBytes,
            initialRingBytes: Self.ringBytes)
    }

    deinit { MemoryFile.close(descriptor) }

    /// Words of the header that mean something to a reader, and the first slots of the table.
    private static let words: [Int] =
        [
            RingLayout.Header.magic, RingLayout.Header.version, RingLayout.Header.kindAndIndex, RingLayout.Header.head,
            RingLayout.Header.tail, RingLayout.Header.nextSequence, RingLayout.Header.slotHighWater,
            RingLayout.Header.formattedAt, RingLayout.Header.maximumRingBytes, RingLayout.Header.writer.counter,
            RingLayout.Header.workingOn.counter, RingLayout.Header.peerPosition(0).counter,
        ] + (0..<7).map { RingLayout.Header.geometry.counter + 8 * $0 }
        + (0..<32).map { RingLayout.tableOffset + 8 * $0 }

    func word(_ offset: Int) -> UInt64 {
        var word: UInt64 = 0
        precondition(pread(descriptor, &word, 8, offset) == 8, "a ring's memory can be read")
        return word
    }

    func setWord(_ offset: Int, _ value: UInt64) {
        var word = value
        precondition(pwrite(descriptor, &word, 8, offset) == 8, "a ring's memory can be written")
    }

    /// Does one thing to the memory, as the input says.
    func damage(_ input: inout FuzzInput) {
        switch input.below(4) {
        case 0:
            let offset = Self.words[input.below(Self.words.count)]
            setWord(offset, value(near: word(offset), &input))
        case 1: flip(RingLayout.tableOffset * 8 + input.below(8 * RingLayout.Slot.stride * 8))
        case 2:
            guard writer.usedBytes > 0 else { return }
            flip(offset(of: writer.tailPosition + UInt64(input.below(1 << 16) % writer.usedBytes)) * 8 + input.below(8))
        default: forge(&input)
        }
    }

    private func value(near present: UInt64, _ input: inout FuzzInput) -> UInt64 {
        switch input.below(12) {
        case 0: 0
        case 1: 1
        case 2: .max
        case 3: present &+ 8
        case 4: present &- 8
        case 5: present &+ UInt64(RingLayout.granularityBytes)
        case 6: UInt64(RingLayout.fileBytes - RingLayout.granularityBytes)
        case 7: 1 << 63
        case 8: UInt64(Int64.max)
        case 9: present ^ 1 << UInt64(input.below(64))
        case 10: UInt64(input.below(1 << 16))
        default: input.word()
        }
    }

    private func flip(_ bit: Int) {
        var byte: UInt8 = 0
        guard pread(descriptor, &byte, 1, bit / 8) == 1 else { return }
        byte ^= 1 << (bit % 8)
        precondition(pwrite(descriptor, &byte, 1, bit / 8) == 1, "a ring's memory can be written")
    }

    private func offset(of position: UInt64) -> Int {
        writer.geometry.areaOffset + writer.geometry.offset(of: position)
    }

    /// Puts another header, with sound checksums, in the place of a record's.
    private func forge(_ input: inout FuzzInput) {
        guard writer.usedBytes > 0, let reader = try? RingReader(descriptor: descriptor, kind: .data) else { return }
        var headers: [RecordHeader] = []
        reader.scanHeaders { header, _ in if headers.count < 64 { headers.append(header) } }
        guard !headers.isEmpty else { return }
        var header = headers[input.below(64) % headers.count]
        let start = offset(of: header.position)
        switch input.below(6) {
        case 0: header.type = RecordType(rawValue: UInt16(input.below(64)))
        case 1: header.agent.index = UInt32(input.below(8))
        case 2: header.byteCount = input.below(1 << 16)
        case 3: header.sequence = input.word()
        case 4: header.agent.generation &+= 1
        default: (header.isCompacted, header.isCurrent) = (input.flag(), input.flag())
        }
        var old = [UInt8](repeating: 0, count: header.byteCount)
        let count = pread(
            descriptor, &old, min(old.count, writer.geometry.capacityBytes), start + RecordLayout.headerBytes)
        guard count == header.byteCount else { return }
        hasForgedRecords = true
        let words = RecordHeaderWords(header, payloadChecksum: CRC32C.checksum(old.span.bytes))
        for index in 0..<RecordHeaderWords.count { setWord(start + 8 * index, words.words[index]) }
    }
}
