// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Platform
import Testing

@testable import Lanes

/// The supervisor's check of a lane that comes back to it.
@Suite struct LaneFlawTests {
    private func flaw(_ lane: LaneUnderTest, _ kind: LaneKind = .up, index: Int = 3) -> String? {
        LaneFile.flaw(of: lane.descriptor, kind: kind, index: index)
    }

    @Test func newAndWrittenLanesHaveNone() throws {
        let lane = try LaneUnderTest()
        #expect(flaw(lane) == nil && flaw(lane, .state, index: 0) == nil)
        let writer = try lane.format()
        try writer.append(RecordType(rawValue: 200), bytes: [1, 2, 3])
        #expect(flaw(lane) == nil)
        #expect(flaw(lane, .down) != nil)
        #expect(flaw(lane, index: 4) != nil)
    }

    @Test func everyConstantOfTheHeaderCounts() throws {
        for offset in stride(from: LaneLayout.Header.version, through: LaneLayout.Header.kindAndIndex, by: 8) {
            let lane = try LaneUnderTest()
            _ = try lane.format()
            lane.setWord(offset, lane.word(offset) + 1)
            #expect(flaw(lane) != nil, "the word at \(offset)")
        }
    }

    /// Never a trap, whatever stands in the words that move.
    @Test func damageOfWhatMovesIsFound() throws {
        for offset in [LaneLayout.Header.head, LaneLayout.Header.tail, LaneLayout.Header.slotHighWater] {
            for value in [1, UInt64.max, 1 << 62] {
                let lane = try LaneUnderTest()
                _ = try lane.format()
                lane.setWord(offset, value)
                #expect(offset == LaneLayout.Header.slotHighWater && value == 1 || flaw(lane) != nil)
            }
        }
    }

    @Test func aWriterRunsUntilItIsGone() throws {
        let lane = try LaneUnderTest()
        #expect(LaneFile.runningWriter(of: lane.descriptor) == nil)
        _ = try lane.format()
        // This process itself is nobody to wait for.
        #expect(LaneFile.runningWriter(of: lane.descriptor) == nil)
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/bin/sleep")
        other.arguments = ["1000"]
        try other.run()
        let pid = other.processIdentifier
        var ticks: UInt64?
        while ticks == nil { ticks = ProcessStartTime.ticks(of: pid) }
        let words = SharedWordsOfLane(lane)
        words.sign(pid, try #require(ticks))
        #expect(LaneFile.runningWriter(of: lane.descriptor) == pid)
        let readable = try LaneFile.reopenReadOnly(lane.descriptor)
        defer { close(readable) }
        #expect(LaneFile.runningWriter(of: readable) == pid)
        words.sign(pid, try #require(ticks) + 1)
        #expect(LaneFile.runningWriter(of: lane.descriptor) == nil)
        words.sign(pid, try #require(ticks))
        kill(pid, SIGKILL)
        other.waitUntilExit()
        #expect(LaneFile.runningWriter(of: lane.descriptor) == nil)
    }

    @Test func whatIsNoLaneHasNoWriter() throws {
        let null = open("/dev/null", O_RDWR)
        defer { close(null) }
        #expect(LaneFile.runningWriter(of: null) == nil)
        #expect(LaneFile.runningWriter(of: -1) == nil)
    }
}

/// Signs a lane for somebody else.
private struct SharedWordsOfLane {
    let mapping: Mapping

    init(_ lane: LaneUnderTest) {
        mapping = try! Mapping(
            descriptor: lane.descriptor, offset: 0, byteCount: LaneLayout.Header.end, access: .readWrite)
    }

    func sign(_ process: Int32, _ ticks: UInt64) {
        withExtendedLifetime(mapping) {
            LaneLayout.Header.writer.write([UInt64(process), ticks, 1], to: SharedWords(base: mapping.base))
        }
    }
}
