// SPDX-License-Identifier: Apache-2.0

/// Reads the timestamps of a message's metrics. Neighbours usually have the same, so the bytes are compared with the
/// last ones before they are parsed.
struct SampleClock {
    private var bytes = SIMD2<UInt64>(0, 0)
    /// -1: the last metric had none; -2: too long to be compared.
    private var byteCount = -1
    private(set) var time: SampleTime = .unset

    @inline(__always)
    func isSame<H: EntryHasher>(_ metric: MessageWalk.Metric, _ message: RawSpan, _ hasher: H) -> Bool {
        guard metric.timestampBytes == byteCount else { return false }
        if byteCount < 0 { return true }
        // 16 readable bytes: the timestamp lies in a metric, which has slack behind it.
        return hasher.firstBytes(message, at: metric.timestampStart, byteCount: byteCount) == bytes
    }

    mutating func read<H: EntryHasher>(
        _ metric: MessageWalk.Metric, _ message: RawSpan, _ hasher: H, base: Int
    ) throws(DecodeError) {
        guard metric.timestampBytes >= 0 else {
            byteCount = -1
            time = .unset
            return
        }
        var fields = TimestampFields()
        do throws(DecodeError) {
            try fields.merge(
                message, metric.timestampStart..<(metric.timestampStart + metric.timestampBytes),
                inMessageOfDepth: MetricFields.depth)
        } catch {
            throw error.moved(by: base)
        }
        time = fields.time
        if metric.timestampBytes <= 16 {
            bytes = hasher.firstBytes(message, at: metric.timestampStart, byteCount: metric.timestampBytes)
            byteCount = metric.timestampBytes
        } else {
            byteCount = -2
        }
    }
}
