// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Testing

@testable import IngestCore

/// Asks a simulated flight recorder for windows, part by part.
@Suite struct WindowPlanTests {
    private static let second: Int64 = 1_000_000_000
    private static let day = 86_400 * second
    /// 2026-02-02T10:00:00Z
    private static let newest: Int64 = 1_770_026_400 * second

    /// An agent's history: points of every series, `interval` seconds apart, the newest at ``newest``.
    struct Recorder: CustomTestStringConvertible {
        var series: Int
        var bytesPerSample: Double
        var intervalSeconds: Double
        var points: Int

        var testDescription: String {
            "\(series) x \(points) points of \(bytesPerSample) bytes, \(intervalSeconds) s apart"
        }

        var times: [Int64] {
            (0..<points).map { newest - Int64(Double($0) * intervalSeconds * 1e9) }
        }
    }

    private struct Asked {
        var parts: [CollectCommand.Window] = []
        var points = 0
        var largestBytes = 0.0
    }

    /// - Parameter drift: how far the proxy's idea of the newest point is off.
    private func ask(_ recorder: Recorder, _ window: CollectCommand.Window, driftNanoseconds: Int64 = 0) -> Asked {
        var plan = WindowPlan(window)
        var density = PointDensity()
        var oldest: Int64?
        var asked = Asked()
        let times = recorder.times
        while let part = plan.nextPart(
            series: recorder.series, bytesPerSample: recorder.bytesPerSample,
            pointsPerSecond: density.pointsPerSecond, newestNanoseconds: Self.newest + driftNanoseconds)
        {
            asked.parts.append(part)
            let found = times.filter { $0 >= part.startNanoseconds && $0 <= part.endNanoseconds }
            asked.points += found.count
            asked.largestBytes = max(
                asked.largestBytes, Double(found.count * recorder.series) * recorder.bytesPerSample)
            if let first = found.min(), let last = found.max() {
                density.observed(
                    pointsPerSeries: Double(found.count), times: first...last, nextNanoseconds: oldest)
                oldest = min(first, oldest ?? .max)
            }
            plan.received(isEmpty: found.isEmpty, isDensityKnown: density.isLearned)
            if asked.parts.count > 100_000 { break }
        }
        return asked
    }

    static let recorders = [
        Recorder(series: 159, bytesPerSample: 250, intervalSeconds: 10, points: 60),
        Recorder(series: 2_000, bytesPerSample: 300, intervalSeconds: 10, points: 60),
        Recorder(series: 2_000, bytesPerSample: 300, intervalSeconds: 1, points: 600),
        Recorder(series: 20_000, bytesPerSample: 250, intervalSeconds: 10, points: 90),
        Recorder(series: 20_000, bytesPerSample: 250, intervalSeconds: 300, points: 90),
        Recorder(series: 20_000, bytesPerSample: 250, intervalSeconds: 10, points: 1),
        Recorder(series: 0, bytesPerSample: 256, intervalSeconds: 10, points: 0),
    ]

    @Test(arguments: recorders, [4, 3_600, 86_400, 7 * 86_400, 100 * 86_400, 1_000 * 86_400])
    func windowPlan_followsTheDensityThatTheAgentHolds(_ recorder: Recorder, _ seconds: Int64) {
        let window = CollectCommand.Window(
            startNanoseconds: Self.newest - seconds * Self.second, endNanoseconds: Self.newest)
        check(recorder, window)
    }

    @Test(arguments: recorders)
    func windowPlan_isBoundedForAnyRange(_ recorder: Recorder) {
        check(recorder, .init(startNanoseconds: .min, endNanoseconds: .max))
        check(recorder, .init(startNanoseconds: .min, endNanoseconds: .min + 5))
        check(recorder, .init(startNanoseconds: .max - 5, endNanoseconds: .max))
        check(
            recorder, .init(startNanoseconds: Self.newest - 99 * Self.day, endNanoseconds: Self.newest - 98 * Self.day))
    }

    /// Parts cover the window once, newest first; no answer comes near the message limit; the number of requests is
    /// bounded by what the answer holds.
    private func check(_ recorder: Recorder, _ window: CollectCommand.Window) {
        let asked = ask(recorder, window)
        var end = window.endNanoseconds
        for (number, part) in asked.parts.enumerated() {
            #expect(part.endNanoseconds == end && part.startNanoseconds <= part.endNanoseconds)
            let isLast = number == asked.parts.count - 1
            #expect(isLast == (part.startNanoseconds == window.startNanoseconds))
            if !isLast { end = part.startNanoseconds - 1 }
        }
        let wanted = recorder.times.filter { $0 >= window.startNanoseconds && $0 <= window.endNanoseconds }.count
        #expect(asked.points == wanted)
        let bytes = Double(wanted * recorder.series) * recorder.bytesPerSample
        #expect(Double(asked.parts.count) <= bytes / WindowPlan.expectedPartBytes * 2 + 20)
        #expect(asked.largestBytes < 2 * WindowPlan.expectedPartBytes)
    }

    @Test func windowPlan_toleratesAClockThatIsOff() {
        let recorder = Self.recorders[0]
        for drift in [-Self.day, -60 * Self.second, 60 * Self.second, Self.day] {
            let asked = ask(
                recorder, .init(startNanoseconds: .min, endNanoseconds: .max), driftNanoseconds: drift)
            #expect(asked.points == recorder.points)
            #expect(asked.parts.count <= 24)
        }
    }

    @Test func windowPlan_hasOnePartForASmallWindow() {
        var plan = WindowPlan(.init(startNanoseconds: 5, endNanoseconds: 5))
        #expect(
            plan.nextPart(series: 0, bytesPerSample: 0, pointsPerSecond: 1, newestNanoseconds: 9)
                == .init(startNanoseconds: 5, endNanoseconds: 5))
        #expect(plan.nextPart(series: 0, bytesPerSample: 0, pointsPerSecond: 1, newestNanoseconds: 9) == nil)
    }

    @Test func windowPlan_acceptsExtremeValues() {
        var plan = WindowPlan(.init(startNanoseconds: .min, endNanoseconds: .min + 1))
        #expect(
            plan.nextPart(series: 200_000, bytesPerSample: 1e9, pointsPerSecond: 1e9, newestNanoseconds: .min) != nil)
        var inverted = WindowPlan(.init(startNanoseconds: 1, endNanoseconds: 0))
        #expect(inverted.nextPart(series: 1, bytesPerSample: 1, pointsPerSecond: 1, newestNanoseconds: 0) == nil)
        var thin = WindowPlan(.init(startNanoseconds: .min, endNanoseconds: .max))
        for _ in 0..<100 {
            _ = thin.nextPart(series: 1, bytesPerSample: 1e-9, pointsPerSecond: 1e-9, newestNanoseconds: .max)
            thin.received(isEmpty: true, isDensityKnown: false)
        }
        var density = PointDensity()
        density.observed(pointsPerSeries: 1e300, times: .min ... .max, nextNanoseconds: .min)
        density.observed(pointsPerSeries: 0, times: 0...0, nextNanoseconds: 0)
        #expect(density.pointsPerSecond.isFinite && density.pointsPerSecond > 0)
    }

    @Test func windowPlan_learnsDensityWithinAndAcrossParts() {
        var density = PointDensity()
        #expect(density.pointsPerSecond == PointDensity.presumed)
        // One reading, whose series differ by a millisecond: nothing is known yet.
        density.observed(pointsPerSeries: 1, times: 100_000_000_000...100_001_000_000, nextNanoseconds: nil)
        #expect(density.pointsPerSecond == PointDensity.presumed)
        density.observed(pointsPerSeries: 1, times: 90_000_000_000...90_001_000_000, nextNanoseconds: 100_000_000_000)
        #expect(density.pointsPerSecond == 0.1)
        density.observed(pointsPerSeries: 21, times: 0...100_000_000_000, nextNanoseconds: nil)
        #expect(density.pointsPerSecond == 0.2)
        // A gap: only half of the change is believed.
        density.observed(pointsPerSeries: 21, times: 0...100_000_000_000_000, nextNanoseconds: nil)
        #expect(density.pointsPerSecond == 0.1)
    }
}
