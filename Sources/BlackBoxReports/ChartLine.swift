// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform

/// The times at which the lines of a chart have points: the samples of a step are one point.
struct ChartClock {
    let startMicroseconds: Int64
    let stepMicroseconds: Int64

    /// A second at least: agents' samples are no closer.
    private static let shortestStepMicroseconds: Int64 = 1_000_000

    init(fromNanoseconds from: Int64, untilNanoseconds until: Int64, maximumPoints: Int) {
        startMicroseconds = from / 1000
        let (span, isOver) = (until / 1000).subtractingReportingOverflow(startMicroseconds)
        let length = isOver ? Int64.max : max(0, span)
        stepMicroseconds = max(Self.shortestStepMicroseconds, length / Int64(maximumPoints) + 1)
    }

    func step(of microseconds: Int64) -> Int64 {
        let (distance, isOver) = microseconds.subtractingReportingOverflow(startMicroseconds)
        return isOver ? 0 : distance / stepMicroseconds
    }
}

/// A line of a chart: of one container, all its series together.
struct ChartLine {
    struct Point {
        /// Since the epoch, of the last sample of the step.
        var seconds: Double
        var value: Double
    }

    var name: String
    var containerName: String
    var points: [Point]

    /// The values of a step of one series.
    private struct Step {
        var microseconds: Int64
        var value: Double
    }

    init(_ source: SummaryChart.Source, containerName: String, _ series: [CollectedSeries], _ clock: ChartClock) {
        name = source.name
        self.containerName = containerName
        var steps: [Int64: Step] = [:]
        for one in series {
            let own = source.isRate ? Self.rates(of: one.points, clock) : Self.peaks(of: one.points, clock)
            for (number, step) in own {
                guard let known = steps[number] else {
                    steps[number] = step
                    continue
                }
                steps[number] = Step(
                    microseconds: max(known.microseconds, step.microseconds),
                    value: source.isSum ? known.value + step.value : max(known.value, step.value))
            }
        }
        points = steps.sorted { $0.key < $1.key }.compactMap { _, step in
            guard step.value.isFinite else { return nil }
            return Point(seconds: Double(step.microseconds) / 1e6, value: step.value)
        }
    }

    /// The highest value of each step: what is looked for is what went wrong.
    private static func peaks(of points: [CollectedSeries.Point], _ clock: ChartClock) -> [Int64: Step] {
        var steps: [Int64: Step] = [:]
        for point in points where point.value.isFinite {
            let number = clock.step(of: point.microseconds)
            let value = steps[number].map { max($0.value, point.value) } ?? point.value
            steps[number] = Step(microseconds: point.microseconds, value: value)
        }
        return steps
    }

    /// A counter's increase a second in each step. A counter that went back began anew at 0.
    private static func rates(of points: [CollectedSeries.Point], _ clock: ChartClock) -> [Int64: Step] {
        var increases: [Int64: (from: Int64, until: Int64, sum: Double)] = [:]
        var before: CollectedSeries.Point?
        for point in points where point.value.isFinite {
            defer { before = point }
            guard let last = before else { continue }
            let increase = point.value >= last.value ? point.value - last.value : point.value
            let number = clock.step(of: point.microseconds)
            let known = increases[number]
            increases[number] = (
                known?.from ?? last.microseconds, point.microseconds, (known?.sum ?? 0) + increase
            )
        }
        return increases.mapValues { step in
            let seconds = Double(max(1, step.until.subtractingClamped(step.from))) / 1e6
            return Step(microseconds: step.until, value: step.sum / seconds)
        }
    }
}
