// SPDX-License-Identifier: Apache-2.0
import Metrics

/// From the payload of a table's record to a table that was checked: what an exporter does with the tables of all agents
/// before it serves.
enum TableBenchmark {
    private static let samples = 2000

    static func all() throws -> [Benchmark] {
        let series = AgentSeries(
            limits: SeriesLimits(), hashKey: (1, 2),
            enrichment: Enrichment(
                podName: "banyandb-data-hot-0", nodeRole: "ROLE_DATA",
                labels: ["container_name": "data", "node_type": "hot", "node_zone": "a"]))
        _ = try series.decodeLatest(
            SampleMessage.bytes(series: samples, value: 1).span.bytes, receivedAtNanoseconds: 1)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
        defer { buffer.deallocate() }
        var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
        series.writeTable(into: &output)
        let payload = Array(buffer[..<output.finalize(for: buffer)])
        return [
            Benchmark(name: "take-table", itemsPerUnit: samples) {
                guard SeriesTable(payload: payload.span.bytes)?.seriesCount == samples else {
                    throw BenchmarkFailure("a table was refused")
                }
            }
        ]
    }
}
