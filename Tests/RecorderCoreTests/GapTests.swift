// SPDX-License-Identifier: Apache-2.0
import BlackBox
import FODCProtocol
import Metrics
import Testing

@testable import RecorderCore
@testable import Rings

private let second: Int64 = 1_000_000_000

/// An agent, the network or the proxy was away; the agent still has the minutes that are missing.
struct GapTests {
    /// An agent that reads its values every second, by a clock of its own.
    private final class Agent {
        let test: RecorderUnderTest
        let ring: RingUnderRecording
        let slot: SlotRef
        /// Of the agent's clock against the proxy's.
        let ahead: Int64

        init(_ test: RecorderUnderTest, _ ring: RingUnderRecording, ahead: Int64) throws {
            (self.test, self.ring, self.ahead) = (test, ring, ahead)
            slot = try ring.enter("pod-a")
        }

        var clock: Int64 { test.wall + ahead }

        /// Every value is the second at which it was read.
        private func metrics(at time: Int64) -> [Banyandb_Fodc_V1_Metric] {
            ["a", "b", "c"].enumerated().map { place, name in
                .with {
                    $0.name = name
                    $0.value = Double(time / second)
                    $0.timestamp.seconds = time / second
                    // One after the other.
                    $0.timestamp.nanos = Int32(place) * 1_000_000
                }
            }
        }

        /// Its newest values.
        func answer() throws {
            try ring.latest(.with { $0.metrics = metrics(at: clock) }, of: slot, at: test.wall)
            test.turn()
        }

        func answerWindow(from: Int64, until: Int64) throws {
            let seconds = stride(from: from / second * second, through: until, by: Int(second)).filter { $0 >= from }
            try ring.window(.with { $0.metrics = seconds.flatMap(metrics) }, of: slot, at: test.wall)
            test.turn()
        }
    }

    /// Of the stored samples: when each was received by the proxy's clock, and its first value.
    private static func rows(_ test: RecorderUnderTest) throws -> [(received: Int64, value: Double)] {
        let reader = try test.reader()
        var rows: [(received: Int64, value: Double)] = []
        for node in try reader.nodes() {
            try reader.samples(of: node.id, fromNanoseconds: .min, untilNanoseconds: .max) { _, chunk in
                rows += chunk.rows.indices.map {
                    (chunk.rows[$0].receivedAtNanoseconds, Double(bitPattern: chunk.sample($0).valueBits[0]))
                }
            }
        }
        return rows
    }

    private static func missing(_ test: RecorderUnderTest) throws -> [BlackBoxReader.MissingMinutes] {
        try test.reader().missingMinutes(limit: 100)
    }

    @Test(arguments: [0, -7200, 90] as [Int64], [false, true])
    func recorder_fillsAGapOnce(aheadSeconds: Int64, isInParts: Bool) throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording(ringBytes: 4 << 20)
        try test.follow([ring])
        let agent = try Agent(test, ring, ahead: aheadSeconds * second)
        for _ in 0..<5 {
            try agent.answer()
            test.pass(seconds: 10)
        }
        #expect(try Self.missing(test).isEmpty)
        let before = test.wall - 10 * second
        test.pass(seconds: 170)
        try agent.answer()
        let after = test.wall
        let gap = try #require(try Self.missing(test).first)
        #expect(abs(gap.fromNanoseconds - before - agent.ahead) < second / 100)
        #expect(abs(gap.untilNanoseconds - after - agent.ahead) < second / 100)
        #expect(try Self.missing(test).count == 1)
        // Agents are asked for the newest part first; another asks for all of it once more.
        let middle = (gap.fromNanoseconds + gap.untilNanoseconds) / 2
        if isInParts {
            try agent.answerWindow(from: middle, until: gap.untilNanoseconds)
            #expect(try Self.missing(test).count == 1)
            try agent.answerWindow(from: gap.fromNanoseconds, until: middle - 1)
        } else {
            try agent.answerWindow(from: gap.fromNanoseconds, until: gap.untilNanoseconds)
        }
        try agent.answerWindow(from: gap.fromNanoseconds, until: gap.untilNanoseconds)
        #expect(try Self.missing(test).isEmpty)
        test.pass(seconds: 10)
        try agent.answer()
        let rows = try Self.rows(test)
        // In order, each once, every 8 to 20 s.
        for (one, next) in zip(rows, rows.dropFirst()) {
            #expect(next.received > one.received && next.value > one.value)
            #expect(next.received - one.received <= 20 * second, "\(one) \(next)")
        }
        #expect(
            rows.allSatisfy { abs(($0.received + agent.ahead) / second - Int64($0.value)) <= 1 }, "by the proxy's clock"
        )
        #expect(rows.count >= 6 + 1 + 17 && rows.count <= 6 + 1 + 24, "\(rows.count)")
        #expect(test.recorder.status.samplesFilled == UInt64(3 * (rows.count - 7)))
        #expect(test.recorder.status.recordsMalformed == 0)
    }

    @Test func recorder_fillsAGapThatItsPredecessorFound() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording(ringBytes: 4 << 20)
        try test.follow([ring])
        let agent = try Agent(test, ring, ahead: 0)
        try agent.answer()
        try test.restart([ring])
        test.pass(seconds: 100)
        try agent.answer()
        let gap = try #require(try Self.missing(test).first)
        try test.restart([ring])
        test.turn()
        try agent.answerWindow(from: gap.fromNanoseconds, until: gap.untilNanoseconds)
        #expect(try Self.rows(test).count > 10)
        #expect(try Self.missing(test).isEmpty)
    }

    /// The proxy was away for three minutes: recorder, ring and slot are others, and the node is known again.
    @Test(arguments: [0, -7200, 90] as [Int64])
    func recorder_fillsTheGapOfAProxyThatWasAway(aheadSeconds: Int64) throws {
        let test = RecorderUnderTest()
        let earlier = try RingUnderRecording(ringBytes: 4 << 20)
        try test.follow([earlier])
        let before = try Agent(test, earlier, ahead: aheadSeconds * second)
        for _ in 0..<5 {
            try before.answer()
            test.pass(seconds: 10)
        }
        test.pass(seconds: 180)
        let ring = try RingUnderRecording(ringBytes: 4 << 20)
        try test.restart([ring])
        let agent = try Agent(test, ring, ahead: aheadSeconds * second)
        try agent.answer()
        let gap = try #require(try Self.missing(test).first)
        #expect(abs(gap.untilNanoseconds - gap.fromNanoseconds - 190 * second) < second)
        for _ in 0..<2 { try agent.answerWindow(from: gap.fromNanoseconds, until: gap.untilNanoseconds) }
        #expect(try Self.missing(test).isEmpty)
        let rows = try Self.rows(test)
        #expect(try test.reader().nodes().count == 1)
        for (one, next) in zip(rows, rows.dropFirst()) {
            #expect(next.received > one.received && next.received - one.received <= 20 * second, "\(one) \(next)")
            #expect(next.value > one.value)
        }
        #expect(rows.count >= 6 + 17 && rows.count <= 6 + 24, "\(rows.count)")
    }

    @Test func recorder_asksForNoMoreThanAgentsKeep() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording(ringBytes: 4 << 20)
        try test.follow([ring])
        let agent = try Agent(test, ring, ahead: 0)
        try agent.answer()
        test.pass(seconds: 86_400)
        try agent.answer()
        let gap = try #require(try Self.missing(test).first)
        #expect(gap.untilNanoseconds - gap.fromNanoseconds == 900 * second)
        // An agent has no more of what it has not given by then.
        for _ in 0..<100 {
            test.pass(seconds: 10)
            try agent.answer()
        }
        #expect(try Self.missing(test).isEmpty)
    }

    @Test func recorder_takesNothingOutOfAWindowWithoutAGap() throws {
        let test = RecorderUnderTest()
        let ring = try RingUnderRecording(ringBytes: 4 << 20)
        try test.follow([ring])
        let agent = try Agent(test, ring, ahead: 0)
        for _ in 0..<5 {
            try agent.answer()
            test.pass(seconds: 10)
        }
        try agent.answerWindow(from: test.wall - 100 * second, until: test.wall)
        #expect(try Self.rows(test).count == 5)
        #expect(test.recorder.status.samplesFilled == 0)
    }
}
