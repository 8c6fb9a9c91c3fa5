// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import BinaryCoding

private enum Colour: UInt16, CaseIterable {
    case red = 3
    case blue = 700
}

private struct Sample: BinaryMessage, Equatable {
    static let version: UInt8 = 4

    var small: Int8 = -1
    var wide: UInt64 = 0x0123_4567_89ab_cdef
    var isBright = true
    var colour = Colour.blue
    var name = "häuser"
    var raw: [UInt8] = [0xff, 0]
    var list: [UInt32] = [1, .max]
    var some: Int64? = -2
    var none: Int64?

    init() {}

    func encode(into writer: inout BinaryWriter) {
        writer.append(small)
        writer.append(wide)
        writer.append(isBright)
        writer.append(colour)
        writer.append(name)
        writer.append(bytes: raw.span.bytes)
        writer.append(list: list) { $0.append($1) }
        writer.append(optional: some) { $0.append($1) }
        writer.append(optional: none) { $0.append($1) }
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        small = try reader.integer()
        wide = try reader.integer()
        isBright = try reader.flag()
        colour = try reader.value()
        name = try reader.text(atMost: 100)
        raw = try reader.bytes()
        list = try reader.list(ofAtLeast: 4, atMost: 10) { (reader) throws(BinaryError) in try reader.integer() }
        some = try reader.optional { (reader) throws(BinaryError) in try reader.integer() }
        none = try reader.optional { (reader) throws(BinaryError) in try reader.integer() }
    }
}

@Suite struct BinaryMessageTests {
    private func error(_ bytes: [UInt8]) -> BinaryError? {
        do throws(BinaryError) {
            _ = try Sample(encoded: bytes.span.bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func binaryMessage_isTheVersionThenTheFields() {
        let expected: [UInt8] =
            [4, 0xff, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 1, 0xbc, 0x02, 7, 0, 0, 0] + Array("häuser".utf8)
            + [2, 0, 0, 0, 0xff, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]
            + [1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]
        #expect(Sample().encoded == expected)
    }

    @Test func binaryMessage_decodesToTheEncodedValue() throws {
        #expect(try Sample(encoded: Sample().encoded.span.bytes) == Sample())
    }

    @Test func binaryMessage_rejectsEveryPrefixAsTruncated() {
        let whole = Sample().encoded
        for count in whole.indices {
            guard case .truncated = error(Array(whole.prefix(count))) else {
                Issue.record("\(count) bytes: \(String(describing: error(Array(whole.prefix(count)))))")
                continue
            }
        }
    }

    @Test func binaryMessage_rejectsTrailingBytes() {
        #expect(error(Sample().encoded + [0]) == .trailingBytes(1))
    }

    @Test func binaryMessage_rejectsAnotherVersion() {
        var bytes = Sample().encoded
        bytes[0] = 5
        #expect(error(bytes) == .wrongVersion(found: 5, expected: 4))
    }

    @Test func binaryMessage_rejectsUnknownEnumValues() {
        var bytes = Sample().encoded
        bytes[10] = 2
        #expect(error(bytes) == .unknownValue(number: 2, type: "flag"))
        bytes = Sample().encoded
        bytes[11] = 0
        #expect(error(bytes) == .unknownValue(number: 0x0200, type: "Colour"))
        bytes = Sample().encoded
        bytes[18] = 0xff
        #expect(error(bytes) == .invalidUTF8)
    }

    @Test func binaryMessage_rejectsACountAboveItsLimit() {
        var sample = Sample()
        sample.list = Array(repeating: 0, count: 11)
        #expect(error(sample.encoded) == .limitExceeded(count: 11, limit: 10))
        sample = Sample()
        sample.name = String(repeating: "n", count: 101)
        #expect(error(sample.encoded) == .limitExceeded(count: 101, limit: 100))
    }

    /// 4,294,967,295 elements of 8 bytes are claimed, and none is there.
    @Test func binaryMessage_reservesNoMemoryForAClaimedCount() {
        let bytes: [UInt8] = [0xff, 0xff, 0xff, 0xff]
        var reader = BinaryReader(bytes.span.bytes)
        do throws(BinaryError) {
            _ = try reader.count(ofAtLeast: 8)
            Issue.record("the count was taken")
        } catch {
            #expect(error == .truncated(neededBytes: 8 * 4_294_967_295, remainingBytes: 0))
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func binaryMessage_decodesAnyBytesToAMessageOrAnError(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<10_000 {
            var bytes = Sample().encoded
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            guard let message = try? Sample(encoded: bytes.span.bytes) else { continue }
            #expect(message.encoded == bytes, "seed \(seed)")
        }
    }

    @Test func binaryMessage_errorsNameTheFault() {
        #expect("\(BinaryError.truncated(neededBytes: 8, remainingBytes: 3))" == "8 bytes are needed and 3 are left")
        #expect("\(BinaryError.wrongVersion(found: 2, expected: 1))" == "the version is 2 instead of 1")
        #expect("\(BinaryError.unknownValue(number: 9, type: "Colour"))" == "9 is no Colour")
        #expect("\(BinaryError.invalidValue("the index is 70"))" == "the index is 70")
    }
}
