// SPDX-License-Identifier: Apache-2.0

/// The outer fields of a `StreamMetricsRequest`: 1 metrics, 2 timestamp.
///
/// The fast walk needs readable bytes behind each metric. The end of a message has none, so the last metrics are walked
/// over in a padded copy: `message` is then that copy, and `base` the place of its first byte in the original.
struct MessageSegment {
    /// Bytes that belong to the message; what is readable behind them is padding.
    var byteCount: Int
    var base: Int
    var place = 0
    var timestamp: TimestampFields?
    /// Metrics and other fields that the message may still have.
    var entriesLeft: Int
    /// ``SeriesLimits/maxEntriesPerMessage``.
    private let entryLimit: Int

    enum Step {
        /// Body of a metric.
        case metric(from: Int, to: Int)
        /// The next field starts at `place`, but its end is too near to the end of what is readable.
        case needsPadding
        case end
    }

    /// The whole message.
    init(_ message: RawSpan, entryLimit: Int) {
        byteCount = message.byteCount
        base = 0
        entriesLeft = entryLimit
        self.entryLimit = entryLimit
    }

    /// The rest after `last`.
    init(restOf last: MessageSegment) {
        byteCount = last.byteCount - last.place
        base = last.place
        timestamp = last.timestamp
        entriesLeft = last.entriesLeft
        entryLimit = last.entryLimit
    }

    /// Goes on to the next metric.
    @inline(__always)
    mutating func next(_ message: RawSpan) throws(DecodeError) -> Step {
        while place < byteCount {
            // A message that would need padding is walked on in another segment, which counts the entry.
            guard place &+ MessageWalk.slackBytes <= message.byteCount else { return .needsPadding }
            guard entriesLeft > 0 else { throw .tooManyEntries(limit: entryLimit) }
            // A metric of less than 16 KiB, nearly always. The check above covers the loads.
            if message.byte(uncheckedAt: place) == 0x0a {
                var count = Int(truncatingIfNeeded: message.byte(uncheckedAt: place &+ 1))
                var body = place &+ 2
                if count > 0x7f {
                    count = (count & 0x7f) | Int(truncatingIfNeeded: message.byte(uncheckedAt: place &+ 2)) &<< 7
                    body = place &+ 3
                }
                let end = body &+ count
                // A third length byte makes the count at least 16 KiB here, and the careful way reads it again.
                if count < 1 &<< 14 && end <= byteCount {
                    guard end &+ MessageWalk.slackBytes <= message.byteCount else { return .needsPadding }
                    place = end
                    entriesLeft &-= 1
                    return .metric(from: body, to: end)
                }
            }
            if let step = try carefulStep(message) { return step }
            entriesLeft &-= 1
        }
        return .end
    }

    @inline(never)
    private mutating func carefulStep(_ message: RawSpan) throws(DecodeError) -> Step? {
        var reader = WireReader(position: place, end: byteCount)
        do throws(DecodeError) {
            let tag = try reader.tag(message)
            switch (tag.field, tag.type) {
            case (1, .lengthDelimited):
                let body = try reader.body(message)
                guard body.upperBound + MessageWalk.slackBytes <= message.byteCount else { return .needsPadding }
                place = body.upperBound
                entriesLeft -= 1
                return .metric(from: body.lowerBound, to: body.upperBound)
            case (2, .lengthDelimited):
                var fields = timestamp ?? TimestampFields()
                try fields.merge(message, try reader.body(message), inMessageOfDepth: 1)
                timestamp = fields
            default: try reader.skip(tag, message)
            }
            place = reader.position
            return nil
        } catch {
            throw error.moved(by: base)
        }
    }

    /// The rest of the message with padding behind it.
    static func padded(_ message: RawSpan, from start: Int) -> [UInt8] {
        var bytes = message.array(start..<message.byteCount)
        bytes.append(contentsOf: repeatElement(0, count: MessageWalk.slackBytes))
        return bytes
    }
}
