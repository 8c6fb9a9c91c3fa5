// SPDX-License-Identifier: Apache-2.0

/// `StreamMetricsRequest` as an agent sends it: metrics with two labels each.
enum SampleMessage {
    static func bytes(series: Int, value: Double) -> [UInt8] {
        var message: [UInt8] = []
        for index in 0..<series {
            var metric: [UInt8] = []
            append(&metric, 1, Array("banyandb_family_\(index / 20)".utf8))
            append(&metric, 2, label("group", "sw_metric"))
            append(&metric, 2, label("shard", "\(index % 20)"))
            metric.append(3 << 3 | 1)
            let bits = (value + Double(index)).bitPattern
            for shift in stride(from: 0, to: 64, by: 8) {
                metric.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
            }
            append(&metric, 4, Array("Description of family \(index / 20)".utf8))
            append(&message, 1, metric)
        }
        return message
    }

    private static func label(_ name: String, _ value: String) -> [UInt8] {
        var entry: [UInt8] = []
        append(&entry, 1, Array(name.utf8))
        append(&entry, 2, Array(value.utf8))
        return entry
    }

    private static func append(_ bytes: inout [UInt8], _ field: UInt8, _ body: [UInt8]) {
        bytes.append(field << 3 | 2)
        var rest = body.count
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        bytes += body
    }
}
