// SPDX-License-Identifier: Apache-2.0

/// One metric as the careful reader sees it. Ranges are places in the message.
struct MetricFields {
    struct Label {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// A metric is a message in a message.
    static let depth = 2
    /// More labels than any limit allows are counted and checked, not kept.
    static let maxKeptLabels = 256

    var name = 0..<0
    var labels: [Label] = []
    /// Entries in the message, kept or not.
    var labelCount = 0
    var valueBits: UInt64 = 0
    var description = 0..<0
    var type = MetricType.unspecified
    var timestamp: TimestampFields?
    /// The name came more than once: the order decides what counts, and the hash does not see the order.
    var dependsOnOrder = false

    /// `range` is the body of a `Metric`: 1 name, 2 labels, 3 value, 4 description, 5 timestamp, 6 type.
    init(_ message: RawSpan, _ range: Range<Int>) throws(DecodeError) {
        var reader = WireReader(position: range.lowerBound, end: range.upperBound, messageDepth: Self.depth)
        var hasName = false
        while !reader.isAtEnd {
            let tag = try reader.tag(message)
            switch (tag.field, tag.type) {
            case (1, .lengthDelimited):
                name = try reader.body(message)
                dependsOnOrder = dependsOnOrder || hasName
                hasName = true
            case (2, .lengthDelimited):
                let label = try Self.label(message, try reader.body(message))
                if labelCount < Self.maxKeptLabels { labels.append(label) }
                labelCount += 1
            case (3, .fixed64): valueBits = try reader.fixed64(message)
            case (4, .lengthDelimited): description = try reader.body(message)
            case (5, .lengthDelimited):
                var fields = timestamp ?? TimestampFields()
                try fields.merge(message, try reader.body(message), inMessageOfDepth: Self.depth)
                timestamp = fields
            case (6, .varint):
                let number = Int32(truncatingIfNeeded: try reader.varint(message))
                type = UInt8(exactly: number).flatMap(MetricType.init(rawValue:)) ?? .unspecified
            default: try reader.skip(tag, message)
            }
        }
    }

    private static func label(_ message: RawSpan, _ range: Range<Int>) throws(DecodeError) -> Label {
        var reader = WireReader(position: range.lowerBound, end: range.upperBound, messageDepth: Self.depth)
        var label = Label(name: 0..<0, value: 0..<0)
        while !reader.isAtEnd {
            let tag = try reader.tag(message)
            switch (tag.field, tag.type) {
            case (1, .lengthDelimited): label.name = try reader.body(message)
            case (2, .lengthDelimited): label.value = try reader.body(message)
            case (1, _), (2, _): throw reader.malformed("map entry with a key or value of another type")
            default: try reader.skip(tag, message)
            }
        }
        return label
    }
}
