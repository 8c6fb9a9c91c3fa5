// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Platform

@Suite struct CRC32CTests {
    /// The examples of RFC 3720 B.4, and the usual check value.
    @Test func crc32c_matchesTheExamplesOfTheStandard() {
        let examples: [([UInt8], UInt32)] = [
            (Array("123456789".utf8), 0xE306_9283),
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ((0..<32).map { UInt8($0) }, 0x46DD_794E),
            ((0..<32).reversed().map { UInt8($0) }, 0x113F_DB5C),
            ([], 0),
        ]
        for (bytes, checksum) in examples {
            #expect(CRC32C.checksum(bytes.span.bytes) == checksum)
            #expect(CRC32C.checksumByTables(bytes.span.bytes) == checksum)
        }
    }

    @Test func crc32c_hardwareAndTableAgreeAtAnyLengthAndOffset() {
        var random = SeededGenerator(seed: 41)
        let bytes = random.bytes(400)
        let span = bytes.span.bytes
        for start in 0..<17 {
            for count in 0..<(400 - 17) {
                let part = span.extracting(start..<(start + count))
                let whole = CRC32C.checksum(part)
                #expect(whole == CRC32C.checksumByTables(part))
                let (head, tail) = (part.extracting(first: count / 3), part.extracting(droppingFirst: count / 3))
                #expect(CRC32C.checksum(tail, after: CRC32C.checksum(head)) == whole)
            }
        }
    }
}
