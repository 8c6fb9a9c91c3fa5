// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import SwiftProtobuf
import TestSupport
import Testing

@testable import Metrics

/// Generated code is the oracle: the walker takes what it takes, with the same result.
struct WireOracleTests {
    private static let names = [
        "up", "a:b", "http_requests_total", "q_bucket", "q_sum", "q_count", "9bad", "bad-name", "", "ünder",
    ]
    private static let keys = [
        "le", "method", "group", "pod_name", "node_role", "__name__", "bad key", "", "path", "node_zone",
    ]
    private static let values = [
        "", "x", "a\"b\\c\nd", "0.5", "+Inf", "ünïcode", String(repeating: "long", count: 60), "y", "data-1",
    ]

    private static func double(_ generator: inout SeededGenerator) -> UInt64 {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: generator.next()
        case 1: 0x7ff0_0000_0000_0002
        case 2: Double.nan.bitPattern
        case 3: Double.infinity.bitPattern
        case 4: 0
        default: Double(Int.random(in: -5...1000, using: &generator)).bitPattern
        }
    }

    private static func label(_ generator: inout SeededGenerator) -> [UInt8] {
        var entry = WireWriter()
        let key = keys.randomElement(using: &generator) ?? ""
        let value = values.randomElement(using: &generator) ?? ""
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: entry.field(2, value)
        case 1: entry.field(1, key)
        case 2:
            entry.field(2, value)
            entry.field(1, key)
        case 3:
            entry.field(1, "other")
            entry.field(1, key)
            entry.field(2, value)
        case 4:
            entry.field(1, key)
            entry.field(9, varint: generator.next())
            entry.field(2, value)
        default:
            entry.field(1, key)
            entry.field(2, value)
        }
        return entry.bytes
    }

    private static func metric(_ generator: inout SeededGenerator) -> [UInt8] {
        var fields: [[UInt8]] = []
        func add(_ write: (inout WireWriter) -> Void) {
            var writer = WireWriter()
            write(&writer)
            fields.append(writer.bytes)
        }
        let isOdd = generator.chance(percent: 30)
        add { $0.field(1, names.randomElement(using: &generator) ?? "") }
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
            let padding = isOdd && generator.chance(percent: 20) ? Int.random(in: 1...3, using: &generator) : 0
            add { $0.field(2, label(&generator), lengthPadding: padding) }
        }
        if generator.chance(percent: 95) { add { $0.field(3, fixed64: double(&generator)) } }
        if generator.chance(percent: 40) { add { $0.field(4, values.randomElement(using: &generator) ?? "") } }
        if generator.chance(percent: 60) {
            add {
                $0.field(
                    5, TestMetric.timestamp((1_700_000_000, Int64.random(in: 0...3, using: &generator) * 500_000_000)))
            }
        }
        if generator.chance(percent: 80) { add { $0.field(6, varint: UInt64.random(in: 0...6, using: &generator)) } }
        if isOdd {
            if generator.chance(percent: 20) { add { $0.field(1, "renamed") } }
            if generator.chance(percent: 20) { add { $0.field(3, fixed64: double(&generator)) } }
            if generator.chance(percent: 20) { add { $0.field(5, TestMetric.timestamp((0, 7))) } }
            if generator.chance(percent: 20) { add { $0.field(7, "new") } }
            if generator.chance(percent: 20) { add { $0.field(1000, varint: 5) } }
            if generator.chance(percent: 20) { add { $0.field(6, varint: generator.next()) } }
            // A known field with another wire type is an unknown field.
            if generator.chance(percent: 20) { add { $0.field(1, varint: 5) } }
            if generator.chance(percent: 20) { add { $0.field(3, "text") } }
            if generator.chance(percent: 10) { add { $0.bytes += [0x3b, 0x08, 0x01, 0x3c] } }
            fields.shuffle(using: &generator)
        }
        return Array(fields.joined())
    }

    private static func message(_ generator: inout SeededGenerator) -> [UInt8] {
        var fields = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
            var writer = WireWriter()
            writer.field(1, metric(&generator), lengthPadding: generator.chance(percent: 3) ? 2 : 0)
            return writer.bytes
        }
        if generator.chance(percent: 50) {
            var writer = WireWriter()
            writer.field(2, TestMetric.timestamp((1_600_000_000, 5)))
            fields.insert(writer.bytes, at: Int.random(in: 0...fields.count, using: &generator))
        }
        if generator.chance(percent: 10) {
            var writer = WireWriter()
            writer.field(15, "later")
            fields.insert(writer.bytes, at: Int.random(in: 0...fields.count, using: &generator))
        }
        return Array(fields.joined())
    }

    private static func mutate(_ message: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var message = message
        guard !message.isEmpty else { return message }
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let place = Int.random(in: 0..<message.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: message[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: message[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            case 2: message.remove(at: place)
            case 3: message.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            default: message.removeLast(message.count - place)
            }
            if message.isEmpty { break }
        }
        return message
    }

    private static func compare(_ message: [UInt8], _ series: AgentSeries, isFresh: Bool, _ comment: Comment) {
        let oracle = Result { try Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: message) }
        let ours = Result { try Pipeline.decode(series, message) }
        switch (oracle, ours) {
        case (.success(let decoded), .success(let summary)):
            let reference = Reference(decoded, pod: "pod-a", role: "ROLE_DATA")
            guard let snapshot = Pipeline.snapshot(series) else {
                Issue.record("the payload was refused; \(comment)")
                return
            }
            let values = Reference.parse(Pipeline.text([snapshot]))
            // Bounds that are no numbers are left out when the text is written.
            let odd = FamilyIndex().update(with: [snapshot]).oddBoundCount
            let isAllButOdd =
                odd > 0 && reference.printable.count - values.count <= odd
                && values.allSatisfy { reference.printable[$0.key] == $0.value }
            if values != reference.printable, !isAllButOdd {
                Issue.record(
                    "other values; \(comment)\nsummary: \(summary)\nours: \(values)\nreference: \(reference.printable)")
            }
            #expect(summary.samplesReceived == reference.received, comment)
            #expect(summary.samplesAccepted + summary.drops.total == summary.samplesReceived, comment)
            #expect(summary.samplesAccepted == reference.values.count, comment)
        case (.success, .failure(let error)):
            // The one thing that we refuse beyond the oracle, which misreads such an entry.
            if !"\(error)".contains("map entry with") { Issue.record("refused: \(error); \(comment)") }
        case (.failure(let error), .success):
            // Text that is not UTF-8 costs its metric, not the message; what is known is not looked into again.
            if isFresh, !"\(error)".contains("invalidUTF8") {
                Issue.record("accepted, but the oracle says \(error); \(comment)")
            }
        case (.failure, .failure): break
        }
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64], [true, false])
    func wireDecoder_decodesLikeGeneratedCode(_ seed: UInt64, usesAES: Bool) {
        var generator = SeededGenerator(seed: seed)
        var warm = Pipeline.series(usesAES: usesAES && AESHasher.isSupported)
        for round in 0..<400 {
            let message = Self.message(&generator)
            let comment: Comment = "seed \(seed), round \(round)"
            Self.compare(message, warm, isFresh: false, comment)
            Self.compare(message, Pipeline.series(usesAES: usesAES && AESHasher.isSupported), isFresh: true, comment)
            if round % 100 == 99 { warm = Pipeline.series(usesAES: usesAES && AESHasher.isSupported) }
        }
    }

    @Test(arguments: [21, 22, 23, 24] as [UInt64])
    func wireDecoder_acceptsMutatedMessagesLikeGeneratedCode(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let warm = Pipeline.series()
        for round in 0..<800 {
            let message = Self.mutate(Self.message(&generator), &generator)
            let comment: Comment = "seed \(seed), round \(round), bytes \(message)"
            Self.compare(message, Pipeline.series(), isFresh: true, comment)
            Self.compare(message, warm, isFresh: false, comment)
        }
    }

    @Test(
        arguments: [
            ([0x0a], "truncated length"), ([0x0a, 5, 0x0a], "truncated body"), ([0x00, 0x00], "field 0"),
            ([0x0f, 0x01], "wire type 7"),
            ([0x0a, 2, 0x19, 0], "truncated double"), ([0x0c], "end of group"), ([0x1b, 0x08, 0x01], "open group"),
            ([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "overlong varint"),
            ([0x12, 2, 0x08], "truncated timestamp"),
            ([0x0a, 4, 0x12, 2, 0x0a, 9], "label name longer than its entry"),
        ] as [([UInt8], String)])
    func wireDecoder_rejectsMalformedMessages(_ message: [UInt8], _ what: String) {
        #expect(throws: DecodeError.self, "\(what)") { try Pipeline.decode(Pipeline.series(), message) }
        #expect(throws: (any Error).self, "\(what)") {
            try Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: message)
        }
    }

    @Test func wireDecoder_keepsNothingOfARejectedMessage() throws {
        let series = Pipeline.series()
        _ = try Pipeline.decode(series, TestMetric.message([TestMetric(name: "a", value: 1)]))
        let table = series.tableNumber
        let bad = TestMetric.message([TestMetric(name: "a", value: 2), TestMetric(name: "b", value: 3)]) + [0x0a]
        #expect(throws: DecodeError.self) { try Pipeline.decode(series, bad) }
        #expect(series.tableNumber == table)
        #expect(series.seriesCount == 1)
        #expect(series.column == [SampleBits.stale])
    }

    /// A metric with this value and a time of these bytes.
    private static func timed(_ name: String, _ value: Double, _ time: [UInt8]) -> [UInt8] {
        var metric = WireWriter()
        metric.field(1, name)
        metric.field(3, fixed64: value.bitPattern)
        metric.field(5, time)
        var message = WireWriter()
        message.field(1, metric.bytes)
        return message.bytes
    }

    /// The hash of a series that came before does not vouch for the time that comes with it.
    @Test(arguments: ["up", "9bad"], [1.0, 9.0])
    func wireDecoder_rejectsAMalformedTimeOfAKnownSeries(_ name: String, _ value: Double) {
        let message = Self.timed(name, 5, [8, 1]) + Self.timed(name, value, [8, 0x80])
        #expect(throws: (any Error).self) { try Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: message) }
        #expect(throws: DecodeError.self) { try Pipeline.decode(Pipeline.series(), message) }
        #expect(throws: DecodeError.self) {
            try Pipeline.series().decodeWindow(message.span.bytes, receivedAtNanoseconds: 1)
        }
        let warm = Pipeline.series()
        #expect(throws: Never.self) { try Pipeline.decode(warm, Self.timed(name, 5, [8, 1])) }
        #expect(throws: DecodeError.self) { try Pipeline.decode(warm, message) }
    }

    @Test(arguments: [[0x0a, 0], [0x12, 0], [0x18, 0], [0x0a, 2, 0x0a, 0]] as [[UInt8]])
    func wireDecoder_limitsEntriesOfAMessage(_ entry: [UInt8]) throws {
        var limits = SeriesLimits()
        limits.maxEntriesPerMessage = 1000
        let series = Pipeline.series(limits: limits)
        let most = [[UInt8]](repeating: entry, count: 1000).flatMap { $0 }
        _ = try series.decodeLatest(most.span.bytes, receivedAtNanoseconds: 1)
        _ = try series.decodeWindow(most.span.bytes, receivedAtNanoseconds: 1)
        #expect(throws: DecodeError.tooManyEntries(limit: 1000)) {
            try series.decodeLatest((most + entry).span.bytes, receivedAtNanoseconds: 1)
        }
        #expect(throws: DecodeError.tooManyEntries(limit: 1000)) {
            try series.decodeWindow((most + entry).span.bytes, receivedAtNanoseconds: 1)
        }
    }
}

/// Where the walker and generated code once went apart, found by `make fuzz`: each took a malformed message that the other
/// refused.
struct WireDisagreementTests {
    enum Place: CaseIterable {
        case message, metric, entryOfLabel, timeOfMessage, timeOfMetric

        /// A message with these bytes among the fields there.
        func message(with bytes: [UInt8]) -> [UInt8] {
            var (inner, metric, message) = (WireWriter(), WireWriter(), WireWriter())
            switch self {
            case .message: return TestMetric.message([TestMetric(name: "up", value: 1)]) + bytes
            case .metric: metric.bytes = TestMetric(name: "up", value: 1).encoded() + bytes
            case .entryOfLabel:
                inner.field(1, "k")
                inner.field(2, "v")
                metric.bytes = TestMetric(name: "up", value: 1).encoded()
                metric.field(2, inner.bytes + bytes)
            case .timeOfMetric:
                metric.bytes = TestMetric(name: "up", value: 1).encoded()
                metric.field(5, [8, 1] + bytes)
            case .timeOfMessage:
                message.field(2, [8, 1] + bytes)
                return TestMetric.message([TestMetric(name: "up", value: 1)]) + message.bytes
            }
            message.field(1, metric.bytes)
            return message.bytes
        }
    }

    private func isTakenByGeneratedCode(_ message: [UInt8]) -> Bool {
        (try? Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: message)) != nil
    }

    private func isTaken(_ message: [UInt8]) -> Bool {
        let latest = (try? Pipeline.decode(Pipeline.series(), message)) != nil
        let window =
            (try? Pipeline.series().decodeWindow(message.span.bytes, receivedAtNanoseconds: Pipeline.receivedAt)) != nil
        #expect(latest == window)
        return latest
    }

    /// Generated code counts the messages around a group as well.
    @Test(arguments: Place.allCases) func wireReader_followsGroupsAsDeepAsGeneratedCode(_ place: Place) {
        for depth in 90...103 {
            let groups = [UInt8](repeating: 0x3b, count: depth) + [UInt8](repeating: 0x3c, count: depth)
            // Field 7 is known nowhere.
            let message = place.message(with: groups)
            #expect(isTaken(message) == isTakenByGeneratedCode(message), "\(depth) groups")
        }
        #expect(isTaken(place.message(with: [0x3b, 0x3c])))
    }

    /// A tag has five bytes at most, as protobuf's own implementations have it. Generated code holds to that only where it
    /// looks for fields that it knows: inside of groups, and in entries of maps, it takes ten.
    @Test(arguments: Place.allCases) func wireReader_refusesLongTagsEverywhere(_ place: Place) {
        for padding in 0...6 {
            var (plain, grouped) = (WireWriter(), WireWriter())
            plain.varint(7 << 3, padding: padding)
            plain.bytes.append(1)
            grouped.bytes = [0x3b] + plain.bytes + [0x3c]
            for bytes in [plain.bytes, grouped.bytes] {
                let message = place.message(with: bytes)
                #expect(isTaken(message) == (padding <= 4), "\(padding) bytes of padding")
                if padding <= 4 { #expect(isTakenByGeneratedCode(message)) }
            }
            #expect(isTakenByGeneratedCode(place.message(with: grouped.bytes)))
        }
    }
}
