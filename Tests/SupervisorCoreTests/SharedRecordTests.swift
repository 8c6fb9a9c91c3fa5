// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing

@Suite struct SharedRecordTests {
    @Test func sharedRecord_returnsTheLastWrittenValue() throws {
        var record = try SharedRecord(name: "fodc-test")
        #expect(SharedRecord.read(record.descriptor) == nil)
        for size in [3, 100_000, 0, 7] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try record.write(bytes)
            #expect(SharedRecord.read(record.descriptor) == bytes)
        }
        #expect(SharedRecord.flaw(of: record.descriptor) == nil)
    }

    @Test func sharedRecord_continuesAPredecessorsRecord() throws {
        var first = try SharedRecord(name: "fodc-test")
        try first.write([1])
        try first.write([2])
        var second = SharedRecord(adopting: first.descriptor)
        try second.write([3])
        #expect(SharedRecord.read(first.descriptor) == [3])
    }

    /// With a half-written record, the one before is there.
    @Test func sharedRecord_fallsBackToThePreviousCopy() throws {
        var record = try SharedRecord(name: "fodc-test")
        try record.write([1, 2, 3])
        try record.write([4, 5, 6])
        // The second record is in the first copy: one byte of it is another.
        var byte: UInt8 = 99
        #expect(pwrite(record.descriptor, &byte, 1, 32) == 1)
        #expect(SharedRecord.read(record.descriptor) == [1, 2, 3])
        var again = SharedRecord(adopting: record.descriptor)
        try again.write([7])
        #expect(SharedRecord.read(record.descriptor) == [7])
    }

    @Test func sharedRecord_rejectsLongAndMalformedValues() throws {
        var record = try SharedRecord(name: "fodc-test")
        #expect(throws: SystemError.self) {
            try record.write([UInt8](repeating: 0, count: SharedRecord.limitBytes + 1))
        }
        let other = try MemoryFile.create(name: "fodc-test", byteCount: 4096)
        defer { MemoryFile.close(other) }
        #expect(SharedRecord.flaw(of: other) != nil && SharedRecord.read(other) == nil)
    }
}
