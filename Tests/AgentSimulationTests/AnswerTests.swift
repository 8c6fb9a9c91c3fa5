// SPDX-License-Identifier: Apache-2.0

import FODCProtocol
import NIOCore
import SwiftProtobuf
import Testing

@testable import AgentSimulation

/// The cursor's output, read by generated code.
@Suite struct AnswerTests {
    private static let now: Int64 = 1_790_000_000_123_456_789

    private func maker(
        _ kind: String = "hot", index: Int = 0, series: Int = 700, source: ValueSource = .moving, odd: Bool = false
    ) throws -> AnswerMaker {
        let identity = SimulatedIdentity(index: index, mix: try #require(RoleMix(kind)), podPrefix: "pod")
        let plan = SeriesPlan(kind: identity.kind, count: series)
        let set = TemplateSet(plan: plan, podNameBytes: identity.podName.utf8.count, source: source, seed: 3)
        let schedule = RecordingSchedule(intervalSeconds: 10, pointCount: 6, key: 4)
        return AnswerMaker(
            identity: identity, source: source, schedule: schedule, series: .planned(set), sendsOddMetrics: odd, seed: 5
        )
    }

    /// The bytes of the whole answer, made in pieces of about `pieceBytes`.
    private func bytes(of cursor: AnswerCursor, pieceBytes: Int) -> ByteBuffer {
        var cursor = cursor
        var whole = ByteBuffer()
        var pieces = 0
        while !cursor.isDone {
            var piece = ByteBuffer()
            cursor.append(to: &piece, about: pieceBytes)
            #expect(piece.readableBytes > 0, "a piece without bytes would be asked for without end")
            whole.writeBuffer(&piece)
            pieces += 1
            if pieces > 1_000_000 { break }
        }
        return whole
    }

    private func decode(
        _ cursor: AnswerCursor, pieceBytes: Int = 1000
    ) throws -> Banyandb_Fodc_V1_StreamMetricsRequest {
        var buffer = bytes(of: cursor, pieceBytes: pieceBytes)
        #expect(buffer.readInteger(as: UInt8.self) == 0)
        #expect(buffer.readInteger(as: UInt32.self) == UInt32(cursor.messageByteCount))
        #expect(buffer.readableBytes == cursor.messageByteCount)
        let message = try Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: Array(buffer.readableBytesView))
        #expect(message.unknownFields.data.isEmpty)
        #expect(message.metrics.allSatisfy { $0.unknownFields.data.isEmpty })
        return message
    }

    @Test(arguments: ["liaison", "hot", "warm", "cold", "data"], [ValueSource.moving, .fixed])
    func metricsAnswer_carriesEverySeriesOfThePlan(kind: String, source: ValueSource) throws {
        var maker = try maker(kind, index: 12, source: source)
        let message = try decode(maker.answer(.latest, nowNanoseconds: Self.now))
        #expect(message.timestamp.seconds == Self.now / 1_000_000_000)
        #expect(message.timestamp.nanos == Int32(Self.now % 1_000_000_000))
        #expect(message.metrics.count == 700)

        guard case .planned(let set) = maker.series else { return }
        var expected: [String: PlannedSeries] = [:]
        for series in set.plan.series {
            let labels = series.labels(podName: maker.identity.podName)
            expected[text(series.name, labels.map { ($0.name, $0.value) })] = series
        }
        #expect(expected.count == 700)
        let seconds = maker.schedule.latest(nowSeconds: Self.now / 1_000_000_000)
        for metric in message.metrics {
            let planned = expected.removeValue(forKey: text(metric.name, metric.labels.map { ($0, $1) }))
            let series = try #require(planned)
            #expect(metric.type.rawValue == Int(series.type.rawValue))
            #expect(metric.description_p == series.help)
            #expect(metric.timestamp.seconds == seconds)
            #expect(metric.timestamp.nanos == 0)
            let value = maker.keys.value(
                model: series.model, childKey: series.childKey, textKey: series.textKey, source: source,
                seconds: seconds)
            #expect(metric.value.bitPattern == value.bitPattern)
        }
        #expect(expected.isEmpty)
    }

    @Test(arguments: [1, 17, 300, 4096, 1 << 20])
    func metricsAnswer_isTheSameMessageInPiecesOfAnySize(pieceBytes: Int) throws {
        var maker = try maker(odd: true)
        let cursor = maker.answer(.window(from: .min, through: .max), nowNanoseconds: Self.now)
        #expect(bytes(of: cursor, pieceBytes: pieceBytes) == bytes(of: cursor, pieceBytes: 1 << 24))
    }

    @Test func metricsAnswer_ordersSeriesDifferentlyEachTime() throws {
        var maker = try maker()
        let first = maker.answer(.latest, nowNanoseconds: Self.now)
        let second = maker.answer(.latest, nowNanoseconds: Self.now)
        let names = try [first, second].map { try decode($0).metrics.map { text($0.name, $0.labels.map { ($0, $1) }) } }
        #expect(names[0] != names[1])
        #expect(names[0].sorted() == names[1].sorted())
        // Order of labels: the same series' bytes differ in some answer.
        var rawForms: Set<[UInt8]> = []
        for _ in 0..<20 {
            let buffer = bytes(of: maker.answer(.latest, nowNanoseconds: Self.now), pieceBytes: 1 << 20)
            rawForms.formUnion(fields(in: Array(buffer.readableBytesView.dropFirst(5))))
        }
        #expect(rawForms.count > 1400, "700 series and the time, with their labels in several orders")
    }

    @Test func metricsAnswer_ofAWindowHasEveryPointOfEverySeries() throws {
        var maker = try maker()
        let latest = maker.schedule.latest(nowSeconds: Self.now / 1_000_000_000)
        let request = MetricsRequest.window(from: latest - 25, through: latest)
        let message = try decode(maker.answer(request, nowNanoseconds: Self.now))
        var seconds: [String: Set<Int64>] = [:]
        for metric in message.metrics {
            seconds[text(metric.name, metric.labels.map { ($0, $1) }), default: []].insert(metric.timestamp.seconds)
        }
        #expect(message.metrics.count == 2100)
        #expect(seconds.count == 700)
        #expect(seconds.values.allSatisfy { $0 == [latest - 20, latest - 10, latest] })
    }

    @Test func metricsAnswer_isEmptyForAWindowOutsideTheKeptPoints() throws {
        var maker = try maker()
        let message = try decode(maker.answer(.window(from: 5, through: 10), nowNanoseconds: Self.now))
        #expect(message.metrics.isEmpty)
        #expect(message.hasTimestamp)
    }

    @Test func metricsAnswer_isEmptyWithoutSeries() throws {
        var maker = try maker(series: 0)
        #expect(try decode(maker.answer(.latest, nowNanoseconds: Self.now)).metrics.isEmpty)
    }

    @Test func metricsAnswer_hasEachSeriesOnceWhenThereAreFew() throws {
        for count in 1...13 {
            var maker = try maker(series: count)
            let metrics = try decode(maker.answer(.latest, nowNanoseconds: Self.now)).metrics
            #expect(Set(metrics.map { text($0.name, $0.labels.map { ($0, $1) }) }).count == count)
        }
    }

    @Test func metricsAnswer_isEqualForEqualAgents() throws {
        var first = try maker()
        var second = try maker()
        let answers = [first, second].map { maker in
            var maker = maker
            return bytes(of: maker.answer(.latest, nowNanoseconds: Self.now), pieceBytes: 999)
        }
        #expect(answers[0] == answers[1])
        _ = first.answer(.latest, nowNanoseconds: Self.now)
        _ = second.answer(.latest, nowNanoseconds: Self.now)
    }

    @Test func metricsAnswer_carriesTheBrokenMetricsThatAreConfigured() throws {
        var maker = try maker(series: 3, odd: true)
        let cursor = maker.answer(.latest, nowNanoseconds: Self.now)
        let buffer = bytes(of: cursor, pieceBytes: 4096)
        let message = Array(buffer.readableBytesView.dropFirst(5))
        #expect(message.count == cursor.messageByteCount)
        // Generated code refuses invalid UTF-8, which is what some of these are for.
        #expect(throws: (any Error).self) { try Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: message) }
        var values: [String: UInt64] = [:]
        var refused = 0
        for field in fields(in: message) where field.first == 0x0A {
            guard let one = try? Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: field), one.metrics.count == 1
            else {
                refused += 1
                continue
            }
            if one.metrics[0].name == "odd_value" {
                values[one.metrics[0].labels["kind"] ?? ""] = one.metrics[0].value.bitPattern
            }
        }
        #expect(refused == 4)
        for (name, value) in OddMetrics.oddValues { #expect(values[name] == value.bitPattern) }
    }

    private func text(_ name: String, _ labels: [(String, String)]) -> String {
        name + labels.map { "\u{1F}\($0.0)\u{1F}\($0.1)" }.sorted().joined()
    }

    /// The fields of a message, each with its key and length.
    private func fields(in message: [UInt8]) -> [[UInt8]] {
        var fields: [[UInt8]] = []
        var index = 0
        while index < message.count {
            let start = index
            index += 1
            var length = 0
            var shift = 0
            while index < message.count {
                length |= Int(message[index] & 0x7F) << shift
                shift += 7
                index += 1
                if message[index - 1] < 0x80 { break }
            }
            index = min(message.count, index + length)
            fields.append(Array(message[start..<index]))
        }
        return fields
    }
}
