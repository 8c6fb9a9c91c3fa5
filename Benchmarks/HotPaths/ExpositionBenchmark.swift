// SPDX-License-Identifier: Apache-2.0
import Metrics

/// From records of agents to the text of a scrape: what the exporter does for each scrape.
enum ExpositionBenchmark {
    private static let agents = 10
    private static let samples = 500

    static func all() throws -> [Benchmark] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
        let index = FamilyIndex()
        let snapshots = try (0..<agents).map { try snapshot(number: $0, buffer) }
        let families = index.update(with: snapshots)
        return [
            Benchmark(name: "merge-unchanged-agents", itemsPerUnit: agents) { _ = index.update(with: snapshots) },
            Benchmark(name: "render-text", itemsPerUnit: agents * samples) {
                var cursor = ExpositionCursor(snapshot: families)
                var isDone = false
                while !isDone {
                    var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
                    isDone = cursor.render(into: &output)
                    _ = output.finalize(for: buffer)
                }
                guard cursor.samplesRendered == agents * samples else { throw BenchmarkFailure("samples are missing") }
            },
        ]
    }

    private static func snapshot(number: Int, _ buffer: UnsafeMutableRawBufferPointer) throws -> AgentSnapshot {
        let pod = "pod-\(number)"
        let series = AgentSeries(
            limits: SeriesLimits(), hashKey: (1, 2), enrichment: Enrichment(podName: pod, nodeRole: "DATA", labels: [:])
        )
        _ = try series.decodeLatest(
            SampleMessage.bytes(series: samples, value: Double(number)).span.bytes, receivedAtNanoseconds: 1)
        func payload(_ write: (inout OutputRawSpan) -> Void) -> [UInt8] {
            var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
            write(&output)
            return Array(buffer[..<output.finalize(for: buffer)])
        }
        guard let table = SeriesTable(payload: payload { series.writeTable(into: &$0) }.span.bytes),
            let sample = Sample(payload: payload { series.writeSample(into: &$0) }.span.bytes, table: table)
        else { throw BenchmarkFailure("a record was refused") }
        return AgentSnapshot(
            agentID: pod, role: "DATA", podName: pod, order: UInt64(number), table: table, sample: sample)
    }
}
