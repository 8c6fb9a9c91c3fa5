// SPDX-License-Identifier: Apache-2.0

/// The points of a `window` record as samples of all series, for a process that stores them without looking at the series'
/// texts. Times are microseconds since the epoch, by the agent's clock.
public struct WindowRows {
    private let receivedAtNanoseconds: Int64
    private let seriesCount: Int
    private let times: [SampleTime]
    private let series: [UInt32]
    private let timeIndexes: [UInt32]
    private let bits: [UInt64]

    /// An agent reads its series one after the other: what was read so much later belongs to another sample.
    private static let longestSpread: Int64 = 1_000_000

    /// `nil` when the payload does not fit its own lengths, or names series that its table has not.
    /// - Parameter seriesCount: of the table that the payload names (``WindowBatch/tableNumber(of:)``).
    public init?(payload: RawSpan, seriesCount: Int) {
        guard WindowBatch.tableNumber(of: payload) != nil, let points = payload.integer(at: 8, as: UInt32.self),
            let timeCount = payload.integer(at: 12, as: UInt32.self),
            let receivedAt = payload.integer(at: 16, as: Int64.self),
            payload.byteCount == MetricsRecordLayout.windowHeaderBytes + 8 * Int(timeCount) + 16 * Int(points)
        else { return nil }
        let seriesStart = MetricsRecordLayout.windowHeaderBytes + 8 * Int(timeCount)
        let indexStart = seriesStart + 4 * Int(points)
        let valueStart = indexStart + 4 * Int(points)
        times = payload.words(MetricsRecordLayout.windowHeaderBytes..<seriesStart)
        series = payload.words(seriesStart..<indexStart)
        timeIndexes = payload.words(indexStart..<valueStart)
        bits = payload.words(valueStart..<payload.byteCount)
        receivedAtNanoseconds = receivedAt
        self.seriesCount = seriesCount
        guard series.allSatisfy({ $0 < seriesCount }), timeIndexes.allSatisfy({ $0 < timeCount }) else { return nil }
    }

    /// Samples that lie between two times, at least `step` apart, oldest first. A series without a point has the stale marker.
    ///
    /// - Parameter maximumValues: more are not made at once; of more samples the newest are taken.
    public func samples(
        after from: Int64, before until: Int64, stepMicroseconds step: Int64, maximumValues: Int
    ) -> [SampleColumns] {
        var starts: [SampleTime] = []
        for time in Set(times).sorted() where time > from && time < until && time != .unset {
            if let last = starts.last, time.subtractingReportingOverflow(last).partialValue < step { continue }
            starts.append(time)
        }
        let limit = max(1, maximumValues / max(1, seriesCount))
        if starts.count > limit { starts.removeFirst(starts.count - limit) }
        guard !starts.isEmpty else { return [] }
        let spread = max(1, min(Self.longestSpread, step / 2))
        var samples = starts.map {
            SampleColumns(
                receivedAtNanoseconds: receivedAtNanoseconds, commonTimeMicroseconds: $0,
                valueBits: [UInt64](repeating: SampleBits.stale, count: seriesCount), timesMicroseconds: [])
        }
        // Of two points of a series the older one counts; `.max`: the series has no point yet.
        var taken = [[SampleTime]](repeating: [SampleTime](repeating: .max, count: seriesCount), count: starts.count)
        for index in bits.indices {
            let (time, one) = (times[Int(timeIndexes[index])], Int(series[index]))
            guard let row = Self.last(of: starts, notAfter: time),
                time.subtractingReportingOverflow(starts[row]).partialValue < spread, time < taken[row][one]
            else { continue }
            taken[row][one] = time
            samples[row].valueBits[one] = bits[index]
        }
        for row in samples.indices where taken[row].contains(where: { $0 != .max && $0 != starts[row] }) {
            samples[row].timesMicroseconds = taken[row].map { $0 == .max ? starts[row] : $0 }
        }
        return samples
    }

    private static func last(of starts: [SampleTime], notAfter time: SampleTime) -> Int? {
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }
}
