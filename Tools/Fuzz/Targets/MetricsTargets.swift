// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform
import SwiftProtobuf

@testable import Metrics

// The walker over an agent's metrics against swift-protobuf. An input is flags and up to eight messages of one agent;
// each is also given to a walker that has seen nothing yet.

extension FuzzTarget {
    static let metricsLatest = FuzzTarget("metrics-latest", seeds: MetricsSeeds.messages()) { bytes in
        try MetricsRun(isWindow: false, bytes).take()
    }

    static let metricsWindow = FuzzTarget("metrics-window", seeds: MetricsSeeds.messages()) { bytes in
        try MetricsRun(isWindow: true, bytes).take()
    }
}

private struct MetricsRun {
    static let receivedAt: Int64 = 1_700_000_000_000_000_000
    static let mostMessages = 8

    private let isWindow: Bool
    private let usesAES: Bool
    private let isSliced: Bool
    private var input: FuzzInput

    init(isWindow: Bool, _ bytes: [UInt8]) {
        self.isWindow = isWindow
        input = FuzzInput(bytes)
        let flags = input.byte()
        usesAES = flags & 1 == 0 && AESHasher.isSupported
        isSliced = flags & 2 == 2
    }

    func take() throws {
        var input = input
        let warm = Self.series(usesAES)
        for _ in 0..<Self.mostMessages where !input.isAtEnd {
            let message = input.piece()
            try compare(message, Self.series(usesAES), isFresh: true)
            try compare(message, warm, isFresh: false)
        }
    }

    static func series(_ usesAES: Bool) -> AgentSeries {
        AgentSeries(
            limits: SeriesLimits(), hashKey: (0x1234_5678_9abc_def0, 0x0fed_cba9_8765_4321),
            enrichment: Enrichment(podName: "pod-a", nodeRole: "ROLE_DATA", labels: [:]), firstTableNumber: 1,
            usesAES: usesAES)
    }

    private enum Taken {
        case latest(DecodeSummary)
        case window(WindowColumns)

        var summary: DecodeSummary {
            switch self {
            case .latest(let summary): summary
            case .window(let columns): columns.summary
            }
        }
    }

    private func decode(_ message: [UInt8], _ series: AgentSeries) throws(DecodeError) -> Taken {
        isWindow
            ? .window(try series.decodeWindow(message.span.bytes, receivedAtNanoseconds: Self.receivedAt))
            : .latest(try series.decodeLatest(message.span.bytes, receivedAtNanoseconds: Self.receivedAt))
    }

    private func compare(_ message: [UInt8], _ series: AgentSeries, isFresh: Bool) throws {
        let theirs = Result { try Banyandb_Fodc_V1_StreamMetricsRequest(serializedBytes: message) }
        let ours: Taken
        do throws(DecodeError) {
            ours = try decode(message, series)
        } catch {
            if case .success = theirs, !Self.isRefusedByUsAlone(error) {
                throw Finding("refused by us alone: \(error)")
            }
            return
        }
        let summary = ours.summary
        try hold(
            summary.samplesAccepted + summary.drops.total == summary.samplesReceived, "samples are lost: \(summary)")
        try checkRecords(series, ours)
        switch theirs {
        case .success(let decoded):
            let oracle = MetricsOracle(decoded, podName: "pod-a", nodeRole: "ROLE_DATA")
            try hold(summary.samplesReceived == oracle.received, "other samples: \(summary), not \(oracle.received)")
            // Of entries of a map that generated code has joined, and of texts, there may be more than are taken.
            if summary.drops[.tooManyLabels] + summary.drops[.textTooLong] > 0 { return }
            if oracle.isAmbiguous || Self.hasKelvinSign(message) { return }
            switch ours {
            case .latest: try compareLatest(series, oracle, decoded)
            case .window(let columns): try compareWindow(series, columns, oracle, decoded)
            }
        case .failure(BinaryDecodingError.invalidUTF8): break
        case .failure(let error):
            // The parser does not look again into bytes that have a known hash.
            try hold(!isFresh, "taken by us alone: \(error)")
        }
    }

    /// The two things that we refuse and generated code takes (docs/security.md, "Fuzzing").
    private static func isRefusedByUsAlone(_ error: DecodeError) -> Bool {
        guard case .malformed(_, let reason) = error else { return false }
        return reason == "map entry with a key or value of another type" || reason == "tag longer than 32 bits"
    }

    /// Of the characters that Swift's strings hold for equal to one of ASCII the only one that names of labels are made
    /// of: generated code takes it for a K.
    private static func hasKelvinSign(_ message: [UInt8]) -> Bool {
        message.indices.dropFirst(2).contains { message[$0 - 2...$0].elementsEqual([0xe2, 0x84, 0xaa]) }
    }

    private static func texts(_ series: AgentSeries) throws -> [String] {
        var texts: [String] = []
        for block in series.blocks {
            var decoder = FrontCoding.Decoder(from: 0, to: block.coded.count)
            while decoder.next(block.coded.span.bytes) {
                texts.append(String(decoding: decoder.text.dropLast(), as: UTF8.self))
            }
        }
        try hold(texts.count == series.seriesCount, "the table has \(texts.count) texts, not \(series.seriesCount)")
        return texts
    }

    private static func time(_ point: MetricsOracle.Point, _ message: Banyandb_Fodc_V1_StreamMetricsRequest)
        -> SampleTime
    {
        if let time = point.time { return SampleTime(seconds: time.seconds, nanoseconds: time.nanoseconds) }
        guard message.hasTimestamp else { return SampleTime(nanosecondsSinceEpoch: receivedAt) }
        return SampleTime(seconds: message.timestamp.seconds, nanoseconds: message.timestamp.nanos)
    }

    private func compareLatest(
        _ series: AgentSeries, _ oracle: MetricsOracle, _ message: Banyandb_Fodc_V1_StreamMetricsRequest
    ) throws {
        var newest = oracle.newest
        for (index, text) in try Self.texts(series).enumerated() where series.column[index] != SampleBits.stale {
            guard let (point, isAlone) = newest.removeValue(forKey: ExactText(text)) else {
                throw Finding("a value for \(text), which is not in the message")
            }
            let (bits, value) = (series.column[index], Double(bitPattern: point.bits))
            let isSame = bits == point.bits || !isAlone && value.isNaN && Double(bitPattern: bits).isNaN
            try hold(isSame, "\(text): \(bits), not \(point.bits)")
            // Of two points with the same value, either may count.
            guard isAlone else { continue }
            let time = series.times.isEmpty ? series.commonTime : series.times[index]
            let expected = Self.time(point, message)
            try hold(time == expected, "\(text): at \(time), not \(expected)")
        }
        try hold(newest.isEmpty, "no value for \(newest.keys.map(\.text))")
    }

    private func compareWindow(
        _ series: AgentSeries, _ columns: WindowColumns, _ oracle: MetricsOracle,
        _ message: Banyandb_Fodc_V1_StreamMetricsRequest
    ) throws {
        let texts = try Self.texts(series)
        try hold(columns.pointCount == oracle.points.count, "\(columns.pointCount) points, not \(oracle.points.count)")
        for (index, point) in oracle.points.enumerated() {
            let text = texts[Int(columns.series[index])]
            try hold(text == point.series, "a point of \(text), not of \(point.series)")
            try hold(columns.valueBits[index] == point.bits, "\(text): \(columns.valueBits[index]), not \(point.bits)")
            let (time, expected) = (columns.times[Int(columns.timeIndexes[index])], Self.time(point, message))
            try hold(time == expected, "\(text): at \(time), not \(expected)")
        }
    }

    /// Checks that the exporter takes the records of the ring, and renders them inside the grammars.
    private func checkRecords(_ series: AgentSeries, _ taken: Taken) throws {
        let tableBytes = SpanBytes.made(series.tableByteCount) { series.writeTable(into: &$0) }
        guard let table = SeriesTable(payload: tableBytes.span.bytes) else { throw Finding("the table cannot be read") }
        switch taken {
        case .latest:
            let sampleBytes = SpanBytes.made(series.sampleByteCount) { series.writeSample(into: &$0) }
            guard let sample = Sample(payload: sampleBytes.span.bytes, table: table) else {
                throw Finding("the sample cannot be read")
            }
            try Rendering.check(
                [
                    AgentSnapshot(
                        agentID: "agent-a", role: "ROLE_DATA", podName: "pod-a", order: 1, table: table, sample: sample)
                ], isSliced: isSliced)
        case .window(let columns):
            let bytes = SpanBytes.made(columns.byteCount) { columns.write(into: &$0) }
            guard let batch = WindowBatch(payload: bytes.span.bytes, table: table) else {
                throw Finding("the window cannot be read")
            }
            try Rendering.check(
                windows: [
                    WindowAgent(agentID: "agent-a", role: "ROLE_DATA", podName: "pod-a", batches: [batch])
                ], isSliced: isSliced)
        }
    }
}

/// Bytes that are written into a span.
enum SpanBytes {
    static func made(_ count: Int, _ write: (inout OutputRawSpan) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var output = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
            write(&output)
            initialized = output.finalize(for: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// The pieces that `render` makes, until it says that it is done.
    static func collected(_ chunk: Int, _ render: (inout OutputRawSpan) -> Bool) throws(Finding) -> [UInt8] {
        var all: [UInt8] = []
        var isDone = false
        var empty = 0
        while !isDone {
            let piece = made(chunk) { isDone = render(&$0) }
            empty = piece.isEmpty ? empty + 1 : 0
            try hold(empty < 1000, "rendering makes nothing, and does not end")
            all += piece
        }
        return all
    }
}
