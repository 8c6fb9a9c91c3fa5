// SPDX-License-Identifier: Apache-2.0

/// The points of one table's series, each series' together, in time order, one for each time.
struct SeriesPoints {
    struct Point {
        var time: SampleTime
        var bits: UInt64
    }

    /// Of series i: points[starts[i]..<ends[i]]. Empty for the latest samples, which have one point each at most.
    private var starts: [Int] = []
    private var ends: [Int] = []
    private var points: [Point] = []
    private var sample: Sample?

    /// A sample's values as one point each.
    init(_ sample: Sample) { self.sample = sample }

    /// Counts how many points each series has, then puts each point in its place: no sorting but of a series' own few
    /// points.
    init(_ batches: [WindowBatch], seriesCount: Int) {
        starts = [Int](repeating: 0, count: seriesCount)
        for batch in batches {
            for series in batch.series { starts[Int(series)] += 1 }
        }
        var total = 0
        for series in 0..<seriesCount {
            let count = starts[series]
            starts[series] = total
            total += count
        }
        points = [Point](repeating: Point(time: 0, bits: 0), count: total)
        ends = starts
        for batch in batches {
            for index in batch.series.indices {
                let series = Int(batch.series[index])
                points[ends[series]] = Point(time: batch.times[Int(batch.timeIndexes[index])], bits: batch.bits[index])
                ends[series] += 1
            }
        }
        for series in 0..<seriesCount { ends[series] = Self.order(&points, starts[series]..<ends[series]) }
    }

    /// Sorts by time and keeps of equal times the largest value. Returns the new end.
    private static func order(_ points: inout [Point], _ range: Range<Int>) -> Int {
        guard range.count > 1 else { return range.upperBound }
        if range.count > 32 {
            points[range].sort { $0.time < $1.time }
        } else {
            // By insertion: few points, mostly in order.
            for index in (range.lowerBound + 1)..<range.upperBound {
                let point = points[index]
                var place = index
                while place > range.lowerBound, points[place - 1].time > point.time {
                    points[place] = points[place - 1]
                    place -= 1
                }
                points[place] = point
            }
        }
        var end = range.lowerBound
        for index in range.dropFirst() {
            if points[index].time == points[end].time {
                if SampleBits.isLarger(points[index].bits, than: points[end].bits) { points[end] = points[index] }
            } else {
                end += 1
                points[end] = points[index]
            }
        }
        return end + 1
    }

    func hasPoints(_ series: Int) -> Bool {
        if let sample { return sample.bits[series] != SampleBits.stale }
        return starts[series] < ends[series]
    }

    func points(of series: Int) -> ArraySlice<Point> {
        if let sample { return [Point(time: sample.time(of: series), bits: sample.bits[series])] }
        return points[starts[series]..<ends[series]]
    }

    /// The points of one series that came in several tables.
    static func join(_ parts: [ArraySlice<Point>]) -> ArraySlice<Point> {
        var points = Array(parts.joined())
        let end = order(&points, points.indices)
        return points[..<end]
    }
}
