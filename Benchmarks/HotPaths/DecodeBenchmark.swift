// SPDX-License-Identifier: Apache-2.0
import Metrics

/// From an agent's answer to the payload of its record: what an ingest worker does with each answer.
enum DecodeBenchmark {
    static let samples = 2000

    static func all() throws -> [Benchmark] {
        let series = AgentSeries(
            limits: SeriesLimits(), hashKey: (1, 2),
            enrichment: Enrichment(podName: "pod", nodeRole: "DATA", labels: [:]))
        let message = SampleMessage.bytes(series: samples, value: 1)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
        return [
            Benchmark(name: "decode-answer", itemsPerUnit: samples) {
                let summary = try series.decodeLatest(message.span.bytes, receivedAtNanoseconds: 1)
                guard summary.samplesReceived == samples else { throw BenchmarkFailure("samples are missing") }
            },
            Benchmark(name: "write-sample", itemsPerUnit: samples) {
                var output = OutputRawSpan(buffer: buffer, initializedCount: 0)
                series.writeSample(into: &output)
                guard output.finalize(for: buffer) == series.sampleByteCount else {
                    throw BenchmarkFailure("the record is not whole")
                }
            },
        ]
    }
}
