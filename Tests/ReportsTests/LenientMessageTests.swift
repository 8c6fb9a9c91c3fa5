// SPDX-License-Identifier: Apache-2.0
import Foundation
import SwiftProtobuf
import Testing

@testable import FODCProtocol

/// Any bytes in a text are read; anything that is no message is refused, and nothing traps.
@Suite struct LenientMessageTests {
    private typealias Lifecycle = Banyandb_Fodc_V1_StreamLifecycleRequest
    private typealias Crash = Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest

    private func parse<M: Message>(_ type: M.Type, _ bytes: [UInt8]) throws -> (message: M, repaired: [UInt8]?) {
        try LenientMessage.parse(type, bytes.span.bytes)
    }

    /// Replaces each `~` in a message's bytes with a byte that is no UTF-8.
    private func broken<M: Message>(_ message: M) throws -> [UInt8] {
        let bytes: [UInt8] = try message.serializedBytes()
        return bytes.map { $0 == UInt8(ascii: "~") ? 0xff : $0 }
    }

    @Test func lenientMessage_repairsTextsAtEveryDepth() throws {
        let crash = Crash.with {
            $0.artifactDir = "plain"
            $0.files = ["a", "b~", "c"]
            $0.panicRecord.goroutineStack = "~~stack~"
            $0.panicRecord.recovered = true
            $0.panicRecord.breadcrumbs = [.with { $0.stage = "ok" }, .with { $0.fields = ["k~": "v~", "x": "y"] }]
            $0.panicRecord.processMetadata = ["sound": "sound", "~": ""]
        }
        let (message, repaired) = try parse(Crash.self, try broken(crash))
        let expected = Crash.with {
            $0.artifactDir = "plain"
            $0.files = ["a", "b\u{fffd}", "c"]
            $0.panicRecord.goroutineStack = "\u{fffd}\u{fffd}stack\u{fffd}"
            $0.panicRecord.recovered = true
            $0.panicRecord.breadcrumbs = [
                .with { $0.stage = "ok" }, .with { $0.fields = ["k\u{fffd}": "v\u{fffd}", "x": "y"] },
            ]
            $0.panicRecord.processMetadata = ["sound": "sound", "\u{fffd}": ""]
        }
        #expect(message == expected)
        #expect(try Crash(serializedBytes: try #require(repaired)) == expected)
    }

    /// Lengths that need another byte for their own length after the repair.
    @Test func lenientMessage_recomputesLengths() throws {
        for count in [40, 43, 50, 5000, 6000] {
            let group = Banyandb_Fodc_V1_GroupLifecycleInfo.with { $0.name = String(repeating: "~", count: count) }
            let (message, _) = try parse(
                Lifecycle.self, try broken(Lifecycle.with { $0.lifecycleData.groups = [group] }))
            #expect(message.lifecycleData.groups.first?.name == String(repeating: "\u{fffd}", count: count))
        }
    }

    @Test func lenientMessage_keepsBytesFieldsAndUnknownFields() throws {
        let chunk = Banyandb_Fodc_V1_StreamPressureProfilesRequest.with {
            $0.chunk.data = .init([0xff, 0x00, 0xfe])
            $0.chunk.error = "~"
        }
        // Field 99, length-delimited, two bytes that are no UTF-8.
        let unknown: [UInt8] = [0x9a, 0x06, 0x02, 0xff, 0xff]
        let (message, repaired) = try parse(
            Banyandb_Fodc_V1_StreamPressureProfilesRequest.self, try broken(chunk) + unknown)
        #expect(Array(message.chunk.data) == [0xff, 0x00, 0xfe])
        #expect(message.chunk.error == "\u{fffd}")
        #expect(repaired?.suffix(unknown.count) == unknown[...])
        #expect(message.unknownFields.data.isEmpty)
    }

    /// `google.protobuf.Value` is inside itself, in a list and as a map's value.
    @Test func lenientMessage_repairsRecursiveTypes() throws {
        var value = Google_Protobuf_Value(stringValue: "~")
        for _ in 0..<10 {
            value = .with { $0.listValue.values = [value, .with { $0.structValue.fields = ["k~": value] }] }
        }
        let (message, repaired) = try parse(Google_Protobuf_Value.self, try broken(value))
        #expect(repaired != nil)
        let first = try #require(message.listValue.values.last?.structValue.fields.first)
        #expect(first.key == "k\u{fffd}")
        // Deeper than the library goes, around a text that needs repair.
        var deep: [UInt8] = [0x1a, 0x01, 0xff]
        for _ in 0..<300 {
            for tag: UInt8 in [0x0a, 0x32] {
                var outer: [UInt8] = [tag]
                var length = deep.count
                while length >= 0x80 {
                    outer.append(UInt8(length & 0x7f) | 0x80)
                    length >>= 7
                }
                deep = outer + [UInt8(length)] + deep
            }
        }
        #expect(throws: (any Error).self) { try parse(Google_Protobuf_Value.self, deep) }
        #expect(throws: (any Error).self) { try parse(Google_Protobuf_Value.self, [0x1a, 0x01, 0xff] + deep) }
    }

    @Test func lenientMessage_leavesValidMessagesUnchanged() throws {
        var seed = UInt64(Int.random(in: 0...Int.max))
        let printed = seed
        for _ in 0..<500 {
            let message = RandomMessages.lifecycle(&seed)
            let parsed = try parse(Lifecycle.self, try message.serializedBytes())
            #expect(parsed.message == message && parsed.repaired == nil, "seed \(printed)")
        }
    }

    @Test func lenientMessage_survivesMutatedMessages() throws {
        var seed = UInt64(Int.random(in: 0...Int.max))
        let printed = seed
        var repairedCount = 0
        for _ in 0..<3000 {
            var bytes: [UInt8] = try RandomMessages.lifecycle(&seed).serializedBytes()
            for _ in 0..<RandomMessages.below(4, &seed) + 1 where !bytes.isEmpty {
                let place = RandomMessages.below(bytes.count, &seed)
                switch RandomMessages.below(4, &seed) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: RandomMessages.next(&seed))
                case 1: bytes[place] |= 0x80
                case 2: bytes.remove(at: place)
                default: bytes.insert(UInt8(truncatingIfNeeded: RandomMessages.next(&seed)), at: place)
                }
            }
            // With so low a limit the memory is estimated too.
            _ = try? LenientMessage.parse(Lifecycle.self, bytes.span.bytes, limits: MessageLimits(memoryBytes: 4096))
            guard let parsed = try? parse(Lifecycle.self, bytes) else { continue }
            guard let repaired = parsed.repaired else { continue }
            repairedCount += 1
            let again = try parse(Lifecycle.self, repaired)
            #expect(again.repaired == nil && again.message == parsed.message, "seed \(printed)")
            #expect(repaired.count <= 3 * bytes.count + 16, "seed \(printed)")
        }
        #expect(repairedCount > 50, "the fuzz repairs too seldom to say anything; seed \(printed)")
    }

    /// Each of these is small on the wire and large in memory.
    @Test func lenientMessage_rejectsMessagesThatWouldFillTheMemory() throws {
        let count = 100_000
        let limit = 4 << 20
        let groups: [UInt8] = (0..<count).flatMap { _ in [0x12, 0x00] as [UInt8] }
        let errors: [UInt8] = (0..<count).flatMap { _ in [0x2a, 0x00] as [UInt8] }
        let unpacked: [UInt8] = (0..<count).flatMap { _ in [0x10, 0x01] as [UInt8] }
        let packed = [UInt8](repeating: 1, count: 3 * count)
        let entries: [UInt8] = (0..<count).flatMap { _ in [0x32, 0x00] as [UInt8] }
        func nested(_ tag: UInt8, _ body: [UInt8]) -> [UInt8] {
            [tag, UInt8(body.count & 0x7f) | 0x80, UInt8(body.count >> 7 & 0x7f) | 0x80, UInt8(body.count >> 14)] + body
        }
        func fits<M: Message>(_ type: M.Type, _ bytes: [UInt8], _ limit: Int) throws -> Bool {
            do {
                _ = try LenientMessage.parse(type, bytes.span.bytes, limits: MessageLimits(memoryBytes: limit))
                return true
            } catch is LenientMessage.TooLarge {
                return false
            }
        }
        #expect(try !fits(Lifecycle.self, nested(0x1a, groups), limit))
        #expect(try !fits(Banyandb_Fodc_V1_GroupLifecycleInfo.self, errors, limit / 3))
        #expect(try !fits(Banyandb_Database_V1_Node.self, unpacked, limit / 3))
        #expect(try !fits(Banyandb_Database_V1_Node.self, nested(0x12, packed), limit))
        #expect(try !fits(Banyandb_Database_V1_Node.self, entries, limit))
        let many = MessageLimits().memoryBytes
        #expect(try fits(Lifecycle.self, nested(0x1a, groups), many))
        // As long as that, and not larger in memory.
        let stack = Crash.with { $0.panicRecord.goroutineStack = String(repeating: "x", count: 2 * count) }
        #expect(try fits(Crash.self, try stack.serializedBytes(), limit))
        #expect(try fits(Crash.self, try stack.serializedBytes(), 3 * count))
    }

    /// Entries of maps and messages at any depth are counted; the limit itself is still taken.
    @Test func lenientMessage_rejectsMessagesWithTooManyEntries() throws {
        func configuration(_ count: Int) throws -> [UInt8] {
            try Fodc_Proxy_V1_NodeConfiguration.with { made in
                for number in 0..<(count / 2) { made.startupParameters["\(number)"] = "" }
                for number in 0..<(count - count / 2) { made.runtimeConfiguration["\(number)"] = "" }
            }.serializedBytes()
        }
        let limits = MessageLimits(entries: 1001)
        let (fitting, large) = (try configuration(1001), try configuration(1002))
        let taken = try LenientMessage.parse(Fodc_Proxy_V1_NodeConfiguration.self, fitting.span.bytes, limits: limits)
        #expect(taken.message.startupParameters.count == 500 && taken.message.runtimeConfiguration.count == 501)
        #expect(throws: LenientMessage.TooLarge.self) {
            try LenientMessage.parse(Fodc_Proxy_V1_NodeConfiguration.self, large.span.bytes, limits: limits)
        }
        let nested: [UInt8] = try Lifecycle.with {
            $0.lifecycleData.groups = [.with { $0.dataInfo = Array(repeating: .init(), count: 9) }]
        }.serializedBytes()
        #expect(throws: LenientMessage.TooLarge.self) {
            try LenientMessage.parse(Lifecycle.self, nested.span.bytes, limits: MessageLimits(entries: 10))
        }
        _ = try LenientMessage.parse(Lifecycle.self, nested.span.bytes, limits: MessageLimits(entries: 11))
    }

    @Test func lenientMessage_rejectsMalformedMessages() {
        // A length beyond the end, behind a text that needs repair.
        #expect(throws: (any Error).self) { try parse(Lifecycle.self, [0x12, 0x01, 0xff, 0x1a, 0x7f]) }
        #expect(throws: (any Error).self) { try parse(Lifecycle.self, [0x12, 0x01, 0xff, 0xff]) }
        #expect(throws: (any Error).self) { try parse(Lifecycle.self, [0x0b]) }
    }

    /// Shapes of messages are found out by asking for one number after the other.
    @Test func lenientMessage_probesEveryFieldNumber() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.appending(path: "Sources/FODCProtocol/Protos")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        var numbers: [UInt64] = []
        for case let file as URL in files where file.pathExtension == "proto" {
            for match in try String(contentsOf: file, encoding: .utf8).matches(of: /= ([0-9]+);/) {
                numbers.append(try #require(UInt64(match.1)))
            }
        }
        #expect(numbers.count > 100)
        #expect((numbers.max() ?? .max) <= WireShapeCollector.highestFieldNumber)
    }
}
