// SPDX-License-Identifier: Apache-2.0
import Logging
import Testing

@testable import Logs

@Suite struct RepeatLimiterTests {
    private let second: UInt64 = 1_000_000_000

    private func line(_ message: String = "gone", level: Logger.Level = .warning, pod: Int = 0, label: String = "x")
        -> LogLine
    {
        LogLine(
            wallNanoseconds: Int64(pod), level: level, component: "ingest-0", label: label, message: message,
            metadata: ["pod": "data-\(pod)"])
    }

    private func shown(_ lines: [LogLine]) -> [String] {
        lines.map { "\($0.message) \($0.metadata["pod"]!) \($0.repeats)" }
    }

    @Test func repeatLimiter_passesABurstAndCountsTheRest() {
        var limiter = RepeatLimiter()
        let written = (0..<20).flatMap { limiter.admit(line(pod: $0), nowNanoseconds: second) }
        #expect(shown(written) == (0..<5).map { "gone data-\($0) 0" })
        #expect(limiter.takeDue(nowNanoseconds: 11 * second - 1).isEmpty)
        #expect(shown(limiter.takeDue(nowNanoseconds: 11 * second)) == ["gone data-19 15"])
        #expect(limiter.takeDue(nowNanoseconds: 100 * second).isEmpty, "told once")
    }

    @Test func repeatLimiter_passesOneLinePerInterval() {
        var limiter = RepeatLimiter()
        var written: [LogLine] = []
        for n in 0..<60 { written += limiter.admit(line(pod: n), nowNanoseconds: UInt64(n) * second) }
        written += limiter.takeAll()
        let spared = [0, 0, 0, 0, 0, 5, 10, 10, 10, 10, 10]
        #expect(written.map(\.repeats) == spared)
        #expect(written.filter { $0.repeats == 0 }.count + written.map(\.repeats).reduce(0, +) == 60, "none is lost")
    }

    @Test func repeatLimiter_reportsDueCountsWithAnotherLine() {
        var limiter = RepeatLimiter()
        for n in 0..<7 { _ = limiter.admit(line(pod: n), nowNanoseconds: 0) }
        let written = limiter.admit(line("hello", level: .info, pod: 9), nowNanoseconds: 10 * second)
        #expect(shown(written) == ["gone data-6 2", "hello data-9 0"])
    }

    @Test func repeatLimiter_allowsANewBurstAfterSilence() {
        var limiter = RepeatLimiter()
        for n in 0..<6 { _ = limiter.admit(line(pod: n), nowNanoseconds: 0) }
        #expect(limiter.takeDue(nowNanoseconds: 10 * second).count == 1)
        #expect(limiter.takeDue(nowNanoseconds: 20 * second).isEmpty)
        #expect(limiter.admit(line(), nowNanoseconds: 20 * second).count == 1)
    }

    @Test func repeatLimiter_separatesDifferentLines() {
        var limiter = RepeatLimiter()
        let lines = [line(), line("other"), line(level: .error), line(label: "y")]
        for one in lines {
            #expect((0..<9).map { _ in limiter.admit(one, nowNanoseconds: 0).count } == [1, 1, 1, 1, 1, 0, 0, 0, 0])
        }
    }

    @Test func repeatLimiter_passesEverythingBelowWarning() {
        var limiter = RepeatLimiter()
        for level in [Logger.Level.trace, .debug, .info, .notice] {
            #expect((0..<50).allSatisfy { _ in limiter.admit(line(level: level), nowNanoseconds: 0).count == 1 })
        }
    }

    @Test func repeatLimiter_boundsItsTableAndLosesNoLine() {
        var limiter = RepeatLimiter()
        var told = 0
        let messages = 10 * RepeatLimiter.limitMessages
        for message in 0..<messages {
            for _ in 0..<7 {
                told += limiter.admit(line("m\(message)"), nowNanoseconds: UInt64(message)).map { max(1, $0.repeats) }
                    .reduce(0, +)
            }
        }
        let rest = limiter.takeAll()
        #expect(rest.count <= RepeatLimiter.limitMessages)
        #expect(told + rest.map(\.repeats).reduce(0, +) == 7 * messages)
    }
}
