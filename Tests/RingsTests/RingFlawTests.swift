// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Platform
import Testing

@testable import Rings

/// The supervisor's check of a ring that comes back to it.
@Suite struct RingFlawTests {
    private func flaw(_ ring: RingUnderTest, _ kind: RingKind = .data, index: Int = 3) -> String? {
        RingFile.flaw(of: ring.descriptor, kind: kind, index: index)
    }

    @Test func ringFlaw_isNilForNewAndWrittenRings() throws {
        let ring = try RingUnderTest()
        #expect(flaw(ring) == nil && flaw(ring, .state, index: 0) == nil)
        let writer = try ring.format()
        try writer.append(RecordType(rawValue: 200), bytes: [1, 2, 3])
        #expect(flaw(ring) == nil)
        #expect(flaw(ring, .command) != nil)
        #expect(flaw(ring, index: 4) != nil)
    }

    @Test func ringFlaw_detectsEveryChangedHeaderConstant() throws {
        for offset in stride(from: RingLayout.Header.version, through: RingLayout.Header.kindAndIndex, by: 8) {
            let ring = try RingUnderTest()
            _ = try ring.format()
            ring.setWord(offset, ring.word(offset) + 1)
            #expect(flaw(ring) != nil, "the word at \(offset)")
        }
    }

    /// Never a trap, whatever stands in the words that move.
    @Test func ringFlaw_detectsDamagedPositions() throws {
        for offset in [RingLayout.Header.head, RingLayout.Header.tail, RingLayout.Header.slotHighWater] {
            for value in [1, UInt64.max, 1 << 62] {
                let ring = try RingUnderTest()
                _ = try ring.format()
                ring.setWord(offset, value)
                #expect(offset == RingLayout.Header.slotHighWater && value == 1 || flaw(ring) != nil)
            }
        }
    }

    @Test func ringFile_findsItsRunningWriter() throws {
        let ring = try RingUnderTest()
        #expect(RingFile.runningWriter(of: ring.descriptor) == nil)
        _ = try ring.format()
        // This process does not wait for itself.
        #expect(RingFile.runningWriter(of: ring.descriptor) == nil)
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/bin/sleep")
        other.arguments = ["1000"]
        try other.run()
        let pid = other.processIdentifier
        var ticks: UInt64?
        while ticks == nil { ticks = ProcessStartTime.ticks(of: pid) }
        let words = SharedWordsOfRing(ring)
        words.sign(pid, try #require(ticks))
        #expect(RingFile.runningWriter(of: ring.descriptor) == pid)
        let readable = try RingFile.reopenReadOnly(ring.descriptor)
        defer { close(readable) }
        #expect(RingFile.runningWriter(of: readable) == pid)
        words.sign(pid, try #require(ticks) + 1)
        #expect(RingFile.runningWriter(of: ring.descriptor) == nil)
        words.sign(pid, try #require(ticks))
        kill(pid, SIGKILL)
        other.waitUntilExit()
        #expect(RingFile.runningWriter(of: ring.descriptor) == nil)
    }

    @Test func ringFile_findsNoWriterOfOtherFiles() throws {
        let null = open("/dev/null", O_RDWR)
        defer { close(null) }
        #expect(RingFile.runningWriter(of: null) == nil)
        #expect(RingFile.runningWriter(of: -1) == nil)
    }
}

/// Signs a ring for somebody else.
private struct SharedWordsOfRing {
    let mapping: Mapping

    init(_ ring: RingUnderTest) {
        mapping = try! Mapping(
            descriptor: ring.descriptor, offset: 0, byteCount: RingLayout.Header.end, access: .readWrite)
    }

    func sign(_ process: Int32, _ ticks: UInt64) {
        withExtendedLifetime(mapping) {
            RingLayout.Header.writer.write([UInt64(process), ticks, 1], to: SharedWords(base: mapping.base))
        }
    }
}
