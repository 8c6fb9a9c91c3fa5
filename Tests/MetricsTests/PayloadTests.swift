// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Metrics

/// A ring is input: whatever lies in it, reading does not trap.
struct PayloadTests {
    private static func filled(_ generator: inout SeededGenerator) throws -> (
        series: AgentSeries, window: WindowColumns
    ) {
        let series = Pipeline.series()
        let metrics = (0..<60).map { index in
            TestMetric(
                name: "name_\(index % 5)",
                labels: [("a", "\(index)"), ("b", String(repeating: "x", count: index * 8))],
                value: Double(index), description: "d\(index % 5)", type: 1, time: (Int64(index % 3), 0))
        }
        let message = TestMetric.message(metrics.shuffled(using: &generator))
        _ = try Pipeline.decode(series, message)
        let window = try series.decodeWindow(message.span.bytes, receivedAtNanoseconds: 1)
        return (series, window)
    }

    @Test func metricsPayload_restoresFrontCodedTexts() throws {
        var generator = SeededGenerator(seed: 61)
        let series = try Self.filled(&generator).series
        let payload = Pipeline.tablePayload(series)
        #expect(payload.count == series.tableByteCount)
        let table = try #require(Pipeline.table(payload))
        #expect(table.seriesCount == 60)
        #expect(table.number == series.tableNumber)
        let number = SeriesTable.number(of: payload.span.bytes)
        #expect(number == series.tableNumber)
        var texts: [[UInt8]] = []
        for block in table.blocks {
            var decoder = FrontCoding.Decoder(from: block.coded.lowerBound, to: block.coded.upperBound)
            let bytes = table.bytes
            var own: [[UInt8]] = []
            while decoder.next(bytes.span.bytes) { own.append(decoder.text) }
            #expect(own.count == block.count)
            #expect(own == own.sorted { $0.lexicographicallyPrecedes($1) })
            texts += own
        }
        let wanted = (0..<60).map { index in
            let b = index == 0 ? "" : "b=\"\(String(repeating: "x", count: index * 8))\","
            return "name_\(index % 5){a=\"\(index)\",\(b)node_role=\"ROLE_DATA\",pod_name=\"pod-a\"} "
        }
        #expect(Set(texts.map { String(decoding: $0, as: UTF8.self) }) == Set(wanted))
    }

    @Test(arguments: [71, 72, 73, 74] as [UInt64])
    func metricsPayload_rejectsOrReadsDamagedBytes(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (series, window) = try Self.filled(&generator)
        let tableBytes = Pipeline.tablePayload(series)
        let sampleBytes = Pipeline.samplePayload(series)
        let windowBytes = Pipeline.bytes(window.byteCount) { window.write(into: &$0) }
        let good = try #require(Pipeline.table(tableBytes))
        var refused = 0
        for _ in 0..<1500 {
            let damaged = Self.damage(tableBytes, &generator)
            let table = SeriesTable(payload: damaged.span.bytes)
            if table == nil { refused += 1 }
            let use = table ?? good
            let sampleSource = generator.chance(percent: 50) ? Self.damage(sampleBytes, &generator) : sampleBytes
            _ = Sample.header(of: sampleSource.span.bytes)
            if let sample = Sample(payload: sampleSource.span.bytes, table: use) {
                let agents = [
                    AgentSnapshot(
                        agentID: "a", role: "ROLE_DATA", podName: "pod-a", order: 1, table: use, sample: sample),
                    AgentSnapshot(
                        agentID: "b", role: "ROLE_DATA", podName: "pod-a", order: 2, table: good, sample: sample),
                ]
                _ = Pipeline.text(agents, chunk: 5000)
                _ = Pipeline.text(agents, filter: SeriesFilter(podName: "pod-a"), chunk: 5000)
                var cursor = WindowsCursor(latest: agents)
                _ = Pipeline.collect(chunk: 5000) { cursor.render(into: &$0) }
            }
            let windowSource = generator.chance(percent: 50) ? Self.damage(windowBytes, &generator) : windowBytes
            if let batch = WindowBatch(payload: windowSource.span.bytes, table: use) {
                var cursor = WindowsCursor(windows: [
                    WindowAgent(agentID: "a", role: "r", podName: "p", batches: [batch])
                ])
                _ = Pipeline.collect(chunk: 5000) { cursor.render(into: &$0) }
            }
        }
        #expect(refused > 100, "seed \(seed)")
    }

    private static func damage(_ payload: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var payload = payload
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place =
                generator.chance(percent: 40)
                ? Int.random(in: 0..<min(64, payload.count), using: &generator)
                : Int.random(in: 0..<payload.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: payload[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: payload[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            case 2: payload[place] = 255
            default: payload.removeLast(min(payload.count - 1, Int.random(in: 0...20, using: &generator)))
            }
        }
        return payload
    }
}
