// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings
import Testing

@testable import RingMessages

@Suite struct SuspectRecordsTests {
    @Test func suspectRecords_treatASecondDeathAsPoison() {
        var suspects = SuspectRecords()
        let (first, second) = (RecordName(worker: 0, sequence: 5), RecordName(worker: 63, sequence: 5))
        func becomesPoison(_ name: RecordName) -> Bool { suspects.attribute(name) }
        #expect(!becomesPoison(first) && !becomesPoison(second))
        #expect(suspects.poison.isEmpty)
        #expect(becomesPoison(first))
        #expect(suspects.poison == [first])
        #expect(!becomesPoison(first) && !becomesPoison(.none) && !becomesPoison(.none))
        #expect(suspects.poison == [first])
    }

    @Test func suspectRecords_areReadOutOfAPredecessorsRing() throws {
        let descriptor = try RingFile.create(name: "suspects", kind: .state)
        defer { MemoryFile.close(descriptor) }
        #expect(SuspectRecords(keptIn: descriptor) == SuspectRecords(), "nobody has written it yet")
        var suspects = SuspectRecords()
        _ = suspects.attribute(RecordName(worker: 0, sequence: 5))
        let ring = try RingWriter.format(
            descriptor: descriptor, kind: .state, index: 0, generation: 1, maximumRingBytes: 1 << 20)
        try ring.append(.suspects, isCurrent: true, SuspectRecords().payload.span.bytes)
        try ring.append(.suspects, isCurrent: true, suspects.payload.span.bytes)
        #expect(SuspectRecords(keptIn: descriptor) == suspects)
        #expect(SuspectRecords(keptIn: -1) == SuspectRecords())
    }

    @Test func suspectRecords_decodeToTheEncodedValue() {
        var suspects = SuspectRecords()
        for sequence in 0..<UInt64(SuspectRecords.limit + 9) {
            _ = suspects.attribute(RecordName(worker: 1, sequence: sequence))
        }
        let payload = suspects.payload
        #expect(payload.count == 5 + SuspectRecords.limit * 16)
        #expect(SuspectRecords(payload: payload.span.bytes) == suspects)
        func isTaken(_ bytes: [UInt8]) -> Bool { SuspectRecords(payload: bytes.span.bytes) != nil }
        #expect(!isTaken(Array(payload.dropLast())))
        #expect(!isTaken(payload + payload))
    }
}
