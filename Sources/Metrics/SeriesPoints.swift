// SPDX-License-Identifier: Apache-2.0
import Platform

/// The points of one table's series, each series' together and in time order.
struct SeriesPoints {
    struct Point {
        var time: SampleTime
        var bits: UInt64
    }

    /// Of series i: points[starts[i]..<starts[i + 1]]. Empty for the latest samples, which have one point each at most.
    private var starts: [Int] = []
    private var points: [Point] = []
    private var sample: Sample?

    /// A sample's values as one point each.
    init(_ sample: Sample) { self.sample = sample }

    /// Counts how many points each series has, then puts each point in its place: no sorting but of a series' own few points.
    init(_ batches: [WindowBatch], seriesCount: Int) {
        starts = [Int](repeating: 0, count: seriesCount + 1)
        for batch in batches {
            for series in batch.series { starts[Int(series) + 1] += 1 }
        }
        for series in 0..<seriesCount { starts[series + 1] += starts[series] }
        points = [Point](repeating: Point(time: 0, bits: 0), count: starts[seriesCount])
        var next = starts
        for batch in batches {
            for index in batch.series.indices {
                let series = Int(batch.series[index])
                points[next[series]] = Point(time: batch.times[Int(batch.timeIndexes[index])], bits: batch.bits[index])
                next[series] += 1
            }
        }
        for series in 0..<seriesCount { Self.sort(&points, starts[series]..<starts[series + 1]) }
    }

    /// By insertion: the points of a series come nearly in order or are few. Many in disorder go to the library's sort.
    private static func sort(_ points: inout [Point], _ range: Range<Int>) {
        guard range.count > 1 else { return }
        if range.count > 32 {
            points[range].sort { $0.time < $1.time }
            return
        }
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

    func hasPoints(_ series: Int) -> Bool {
        if let sample { return sample.bits[series] != SampleBits.stale }
        return starts[series] < starts[series + 1]
    }

    func points(of series: Int) -> [Point] {
        if let sample { return [Point(time: sample.time(of: series), bits: sample.bits[series])] }
        return Array(points[starts[series]..<starts[series + 1]])
    }

    func appendPoints(of series: Int, to text: inout [UInt8]) -> Int {
        if let sample {
            return Self.appendPoints([Point(time: sample.time(of: series), bits: sample.bits[series])], to: &text)
        }
        return Self.appendPoints(points[starts[series]..<starts[series + 1]], to: &text)
    }

    static func inOrder(_ points: [Point]) -> [Point] { points.sorted { $0.time < $1.time } }

    /// Appends points that are in time order; of those with the same time the one with the largest value. Returns how many.
    static func appendPoints(_ points: some RandomAccessCollection<Point>, to text: inout [UInt8]) -> Int {
        var count = 0
        var held: Point?
        for point in points {
            if let last = held {
                if last.time == point.time {
                    if SampleBits.isLarger(point.bits, than: last.bits) { held = point }
                    continue
                }
                append(last, isFirst: count == 0, to: &text)
                count += 1
            }
            held = point
        }
        if let held {
            append(held, isFirst: count == 0, to: &text)
            count += 1
        }
        return count
    }

    private static func append(_ point: Point, isFirst: Bool, to text: inout [UInt8]) {
        if !isFirst { text.append(UInt8(ascii: ",")) }
        text.append(contentsOf: "{\"timestamp\":".utf8)
        JSONText.appendTimestamp(point.time, to: &text)
        text.append(contentsOf: ",\"value\":".utf8)
        JSONText.appendDouble(Double(bitPattern: point.bits), to: &text)
        text.append(UInt8(ascii: "}"))
    }
}
