// SPDX-License-Identifier: Apache-2.0
import Glibc
import Rings

/// A record into a ring and out of it, as between an ingest worker and the exporter.
enum RingBenchmark {
    private static let records = 100
    private static let recordBytes = 16_000

    static func all() throws -> [Benchmark] {
        let descriptor = try RingFile.create(name: "benchmark", kind: .data)
        defer { close(descriptor) }
        let writer = try RingWriter.format(
            descriptor: descriptor, kind: .data, index: 0, generation: 1, maximumRingBytes: 16 << 20)
        let readable = try RingFile.reopenReadOnly(descriptor)
        defer { close(readable) }
        let reader = try RingReader(descriptor: readable, kind: .data)
        guard let slot = writer.claimSlot() else { throw BenchmarkFailure("there is no slot") }
        let payload = [UInt8](repeating: 1, count: recordBytes)
        return [
            Benchmark(name: "ring-append-and-read", itemsPerUnit: records) {
                for _ in 0..<records { try writer.append(.sample, agent: slot, isCurrent: true, payload.span.bytes) }
                var read = 0
                while case .record = reader.next({ header, _ in read += header.isCompacted ? 0 : 1 }) {}
                guard read == records else { throw BenchmarkFailure("\(read) of \(records) records were read") }
            }
        ]
    }
}
