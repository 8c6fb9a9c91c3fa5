// SPDX-License-Identifier: Apache-2.0

/// The fast walk over a `StreamMetricsRequest`: finds each metric's hash, value and time without looking into names,
/// labels and texts. A metric behind a known hash was checked when it was first seen.
enum MessageWalk {
    /// Readable bytes that must follow a metric: the hasher loads 64 bytes from anywhere inside, tags and lengths are
    /// read before they are known to lie inside, and a length takes at most ten bytes.
    static let slackBytes = 96

    struct Metric {
        var hash = SIMD2<UInt64>(0, 0)
        var valueBits: UInt64 = 0
        var timestampStart = 0
        /// -1: the metric has none.
        var timestampBytes = -1
        var descriptionStart = 0
        /// -1: the metric has none.
        var descriptionBytes = -1
        /// The careful reader must take it: it is malformed, or shaped in a way that the hash does not describe.
        var isUnusual = false

        /// Refuses a time that generated code would refuse, of a metric that is not parsed because its hash came before: the
        /// hash vouches for everything but the time.
        ///
        /// - Parameter base: where the walk's bytes begin in `message`.
        func checkTime(in message: RawSpan, base: Int) throws(DecodeError) {
            guard timestampBytes > 0 else { return }
            var fields = TimestampFields()
            try fields.merge(
                message, (base + timestampStart)..<(base + timestampStart + timestampBytes),
                inMessageOfDepth: MetricFields.depth)
        }

        /// The bytes that its description is known by; the hash has only their number. Not inlined: it is needed for new series
        /// and in every eighth answer, and the loop that walks over all others has registers for itself.
        @inline(never)
        func descriptionCheck<H: EntryHasher>(_ message: RawSpan, _ hasher: H, _ key: HashKey) -> UInt16 {
            guard descriptionBytes > 0 else { return 0 }
            let hash = hasher.hash(
                message, at: descriptionStart, byteCount: descriptionBytes, seed: key.descriptionSeed)
            return UInt16(truncatingIfNeeded: hash.x)
        }
    }

    /// Walks over one metric's body. The caller has checked that `end + slackBytes` lies inside the message.
    @inline(__always)
    static func metric<H: EntryHasher>(_ message: RawSpan, from start: Int, to end: Int, hasher: H, key: HashKey)
        -> Metric
    {
        var metric = Metric()
        var place = start
        var sum = SIMD2<UInt64>(0, 0)
        var names = 0
        var type: UInt64 = 0
        // No field that is walked over ends behind `end`, so each load is at most slackBytes behind it.
        while place < end {
            let tag = message.byte(uncheckedAt: place)
            if tag == 0x19 {
                metric.valueBits = message.word(uncheckedAt: place &+ 1)
                place &+= 9
                continue
            }
            if tag == 0x30 {
                // A number above 127 is not one of the enum's; the careful reader says what it is.
                type = UInt64(message.byte(uncheckedAt: place &+ 1))
                if type > 0x7f { break }
                place &+= 2
                continue
            }
            // All that is left to know is length-delimited: 0a name, 12 label, 22 description, 2a timestamp.
            guard tag == 0x12 || tag == 0x0a || tag == 0x22 || tag == 0x2a else {
                guard let after = afterUnknownField(message, at: place, end: end) else { break }
                place = after
                continue
            }
            var count = Int(truncatingIfNeeded: message.byte(uncheckedAt: place &+ 1))
            var body = place &+ 2
            if count > 0x7f {
                let second = Int(truncatingIfNeeded: message.byte(uncheckedAt: place &+ 2))
                // Longer than 16 KiB: rare enough for the careful reader.
                if second > 0x7f { break }
                count = (count & 0x7f) | (second &<< 7)
                body = place &+ 3
            }
            let next = body &+ count
            if next > end { break }
            switch tag {
            case 0x12: sum &+= hasher.hash(message, at: body, byteCount: count, seed: SIMD2(0, 0))
            case 0x0a:
                sum &+= hasher.hash(message, at: body, byteCount: count, seed: key.nameSeed)
                names &+= 1
            case 0x22:
                if metric.descriptionBytes >= 0 { metric.isUnusual = true }
                metric.descriptionStart = body
                metric.descriptionBytes = count
            default:
                if metric.timestampBytes >= 0 { metric.isUnusual = true }
                metric.timestampStart = body
                metric.timestampBytes = count
            }
            place = next
        }
        metric.isUnusual = metric.isUnusual || place != end || names > 1
        let descriptionLength = UInt64(truncatingIfNeeded: metric.descriptionBytes &+ 1)
        metric.hash = SIMD2(sum.x &+ type &* key.typeFactor, sum.y &+ descriptionLength &* key.descriptionFactor)
        return metric
    }

    /// Behind a field that is not one of `Metric`'s; nil when it is one after all, in a shape that the walk does not
    /// know, or malformed.
    @inline(never)
    private static func afterUnknownField(_ message: RawSpan, at place: Int, end: Int) -> Int? {
        var reader = WireReader(position: place, end: end, messageDepth: MetricFields.depth)
        do throws(DecodeError) {
            let tag = try reader.tag(message)
            if tag.field <= 6 { return nil }
            try reader.skip(tag, message)
            return reader.position
        } catch {
            return nil
        }
    }
}
