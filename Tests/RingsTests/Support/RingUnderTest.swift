// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

@testable import Rings

/// The memory of a ring, closed when nobody needs it any more.
final class RingUnderTest {
    let descriptor: Int32
    static let smallestRingBytes = 64 << 10
    /// lseek(2); Glibc's names for them are hidden from Swift.
    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4

    init() throws {
        descriptor = try RingFile.create(name: "ring-under-test", kind: .data)
    }

    /// The ring as it is at this moment: what would be left if its writer died now.
    init(copyOf other: RingUnderTest) throws {
        descriptor = try RingFile.create(name: "ring-snapshot", kind: .data)
        var offset = 0
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let start = lseek(other.descriptor, offset, Self.seekData)
            guard start >= 0 else { break }
            let end = lseek(other.descriptor, start, Self.seekHole)
            offset = start
            while offset < end {
                let count = pread(other.descriptor, &buffer, min(buffer.count, end - offset), offset)
                precondition(count > 0, "what is data can be read")
                precondition(pwrite(descriptor, buffer, count, offset) == count, "a copy can be written")
                offset += count
            }
        }
    }

    deinit {
        close(descriptor)
    }

    func format(
        kind: RingKind = .data, generation: UInt64 = 1, initial: Int = smallestRingBytes,
        maximum: Int = smallestRingBytes
    ) throws -> RingWriter {
        try RingWriter.format(
            descriptor: descriptor, kind: kind, index: 3, generation: generation, maximumRingBytes: maximum,
            initialRingBytes: initial)
    }

    func takeOver(
        kind: RingKind = .data, generation: UInt64 = 2, initial: Int = smallestRingBytes,
        maximum: Int = smallestRingBytes
    ) throws -> RingWriter {
        try RingWriter.takeOver(
            descriptor: descriptor, kind: kind, index: 3, generation: generation, maximumRingBytes: maximum,
            initialRingBytes: initial)
    }

    func reader(kind: RingKind = .data) throws -> RingReader {
        let readOnly = try RingFile.reopenReadOnly(descriptor)
        defer { close(readOnly) }
        return try RingReader(descriptor: readOnly, kind: kind)
    }

    func word(_ offset: Int) -> UInt64 {
        var word: UInt64 = 0
        precondition(pread(descriptor, &word, 8, offset) == 8)
        return word
    }

    func setWord(_ offset: Int, _ value: UInt64) {
        var word = value
        precondition(pwrite(descriptor, &word, 8, offset) == 8)
    }

    func flipBit(_ bit: Int) {
        var byte: UInt8 = 0
        precondition(pread(descriptor, &byte, 1, bit / 8) == 1)
        byte ^= 1 << (bit % 8)
        precondition(pwrite(descriptor, &byte, 1, bit / 8) == 1)
    }
}

/// A record as a reader has seen it.
struct ReadRecord: Equatable {
    var header: RecordHeader
    var payload: [UInt8]
}

extension RingReader {
    func nextRecord() -> (outcome: Outcome, record: ReadRecord?) {
        var record: ReadRecord?
        let outcome = next { header, payload in
            record = ReadRecord(header: header, payload: payload.withUnsafeBytes { Array($0) })
        }
        return (outcome, record)
    }

    func record(at position: UInt64) -> ReadRecord? {
        var record: ReadRecord?
        _ = read(at: position) { header, payload in
            record = ReadRecord(header: header, payload: payload.withUnsafeBytes { Array($0) })
        }
        return record
    }

    /// Everything up to the head, and whatever else than a record came of it. Where nothing can be read it does not wait.
    func drain() -> (records: [ReadRecord], others: [Outcome]) {
        var records: [ReadRecord] = []
        var others: [Outcome] = []
        while true {
            let (outcome, record) = nextRecord()
            if outcome == .empty { return (records, others) }
            if let record { records.append(record) } else { others.append(outcome) }
            if case .stalled = outcome, skipDamage() == nil { return (records, others) }
        }
    }
}

extension RingWriter {
    @discardableResult
    func append(
        _ type: RecordType, agent: SlotRef = .none, subject: UInt64 = 0, isCurrent: Bool = false, bytes: [UInt8]
    ) throws(RingError) -> UInt64 {
        // In two parts, so that both are tried.
        let span = bytes.span.bytes
        let middle = bytes.count / 3
        return try append(
            type, agent: agent, generation: 7, number: UInt64(bytes.count), subject: subject, isCurrent: isCurrent,
            span.extracting(first: middle), span.extracting(droppingFirst: middle))
    }
}
