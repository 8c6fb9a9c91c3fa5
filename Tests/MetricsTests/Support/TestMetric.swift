// SPDX-License-Identifier: Apache-2.0
import TestSupport

/// A metric as a test thinks of it, and its bytes.
struct TestMetric {
    var name: String
    var labels: [(String, String)] = []
    var value: Double = 0
    var description = ""
    var type: UInt64 = 0
    /// Seconds and nanoseconds.
    var time: (Int64, Int64)?

    func encoded(shuffledBy generator: inout SeededGenerator) -> [UInt8] {
        var shuffled = self
        shuffled.labels.shuffle(using: &generator)
        return shuffled.encoded()
    }

    /// As Go's marshaller writes it.
    func encoded() -> [UInt8] {
        var writer = WireWriter()
        if !name.isEmpty { writer.field(1, name) }
        for (key, value) in labels {
            var entry = WireWriter()
            entry.field(1, key)
            entry.field(2, value)
            writer.field(2, entry.bytes)
        }
        if value.bitPattern != 0 { writer.field(3, fixed64: value.bitPattern) }
        if !description.isEmpty { writer.field(4, description) }
        if let time { writer.field(5, Self.timestamp(time)) }
        if type != 0 { writer.field(6, varint: type) }
        return writer.bytes
    }

    static func timestamp(_ time: (Int64, Int64)) -> [UInt8] {
        var writer = WireWriter()
        if time.0 != 0 { writer.field(1, varint: UInt64(bitPattern: time.0)) }
        if time.1 != 0 { writer.field(2, varint: UInt64(bitPattern: time.1)) }
        return writer.bytes
    }

    static func message(_ metrics: [TestMetric], time: (Int64, Int64)? = nil) -> [UInt8] {
        message(bodies: metrics.map { $0.encoded() }, time: time)
    }

    static func message(bodies: [[UInt8]], time: (Int64, Int64)? = nil) -> [UInt8] {
        var writer = WireWriter()
        for body in bodies { writer.field(1, body) }
        if let time { writer.field(2, timestamp(time)) }
        return writer.bytes
    }
}
