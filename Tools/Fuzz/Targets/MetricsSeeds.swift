// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import SwiftProtobuf

@testable import Metrics

/// Inputs with metrics as agents send them, and as nobody does.
enum MetricsSeeds {
    static func messages() -> [[UInt8]] {
        let plain = wire(sample([("up", [:], 1), ("requests_total", ["method": "get"], 7)]))
        let histogram = wire(
            sample(
                [
                    ("lat_seconds_bucket", ["le": "0.5"], 1), ("lat_seconds_bucket", ["le": "+Inf"], 2),
                    ("lat_seconds_sum", [:], 0.5), ("lat_seconds_count", [:], 2),
                ], type: .histogram))
        let summary = wire(
            sample(
                [("gc_seconds", ["quantile": "0.5"], 1e-9), ("gc_seconds_sum", [:], 1), ("gc_seconds_count", [:], 1)],
                type: .summary))
        let texts = wire(
            sample([
                ("a", ["path": "q\"\\\n\u{1}ü", "empty": "", "pod_name": "pod-z"], .nan), ("9bad", [:], 1),
                ("b", ["__name__": "c"], 2),
            ]))
        let window = wire(
            sample((0..<6).map { ("m", ["i": "\($0 % 2)"], Double($0)) }, seconds: [30, 10, 20]))
        let odd: [UInt8] = [
            // Unknown fields and groups, a name twice, an entry without a key, and lengths with a byte too many.
            0x0a, 24, 0x0a, 1, 0x61, 0x0a, 0x81, 0, 0x62, 0x12, 3, 0x12, 1, 0x79, 0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f,
            0x3b, 8,
            1, 0x3c, 0x12, 2, 8, 1, 0x9a, 6, 1, 0xff,
        ]
        return [
            [plain], [plain, plain, histogram], [summary, texts], [window, plain, window], [odd],
            [histogram, odd, odd],
        ]
        .flatMap { messages in [0, 3].map { input($0, messages) } }
    }

    /// Messages as an input of the metrics targets has them.
    static func input(_ flags: UInt8, _ messages: [[UInt8]]) -> [UInt8] {
        var seed = SeedWriter(flags)
        for message in messages { seed.piece(message) }
        return seed.bytes
    }

    static func sample(
        _ metrics: [(name: String, labels: [String: String], value: Double)],
        type: Banyandb_Fodc_V1_MetricType = .gauge,
        seconds: [Int64] = [1_700_000_000]
    ) -> Banyandb_Fodc_V1_StreamMetricsRequest {
        var message = Banyandb_Fodc_V1_StreamMetricsRequest()
        for (index, metric) in metrics.enumerated() {
            var sent = Banyandb_Fodc_V1_Metric()
            (sent.name, sent.labels, sent.value, sent.type) = (metric.name, metric.labels, metric.value, type)
            sent.description_p = "Help of \(metric.name).\n"
            sent.timestamp.seconds = seconds[index % seconds.count]
            message.metrics.append(sent)
        }
        message.timestamp.seconds = 1_600_000_000
        return message
    }

    static func wire(_ message: some Message) -> [UInt8] {
        guard let bytes: [UInt8] = try? message.serializedBytes() else {
            preconditionFailure("a proto3 message always serializes: it has no required fields")
        }
        return bytes
    }
}
