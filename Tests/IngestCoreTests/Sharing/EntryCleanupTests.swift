// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings
import Testing

@testable import IngestCore

/// Entries in the ring of a worker that is dead: nobody removes them, and they are believed for the clean-up time.
@Suite struct EntryCleanupTests {
    private static let hour: UInt64 = 3_600_000_000_000
    private static let source: UInt64 = 77

    /// Another worker's view of that ring.
    private func others(
        of ring: RingUnderAdoption, deadSince: UInt64?, cleanupNanoseconds: UInt64
    ) throws -> OtherWorkers {
        let rings = OtherRings([])
        rings.arrived(1, descriptor: try RingFile.reopenReadOnly(ring.descriptor))
        let others = OtherWorkers(
            rings: rings, cleanupNanoseconds: cleanupNanoseconds, deadSince: { _ in deadSince },
            isServing: { _ in false })
        others.refresh()
        return others
    }

    @Test func otherWorkers_forgetEntriesAfterTheCleanupTime() throws {
        let ring = try RingUnderAdoption()
        try ring.add(pod: "online", status: .online)
        let silent = try ring.add(pod: "silent", table: nil)
        ring.writer.setSource(Self.source, at: silent)
        for counter in [IngestCounter.agentsOnline, .agentsUnconnected] { ring.writer.setCounter(counter.rawValue, 1) }
        let now = MonotonicClock.nowNanoseconds()
        let cases: [(deadSince: UInt64?, cleanup: UInt64, isBelieved: Bool)] = [
            (nil, 0, true), (now, Self.hour, true), (0, 1, false),
        ]
        for (deadSince, cleanup, isBelieved) in cases {
            let seen = try others(of: ring, deadSince: deadSince, cleanupNanoseconds: cleanup)
            var listed = 0
            seen.forEachListed { _ in listed += 1 }
            #expect(listed == (isBelieved ? 2 : 0))
            #expect(seen.listedBound == (isBelieved ? 2 : 0))
            #expect(seen.activeBound == (isBelieved ? 1 : 0))
            #expect(seen.unanswered(of: Self.source) == (isBelieved ? 1 : 0))
        }
    }

    @Test func otherWorkers_countFromTheAgentsLossBeforeThatOfItsWorker() throws {
        let ring = try RingUnderAdoption()
        let (lost, online) = (AgentID.random(), AgentID.random())
        let slot = try ring.add(pod: "lost", id: lost)
        try ring.change(slot) { $0.statusSinceNanoseconds = 1 }
        try ring.add(pod: "online", status: .online, id: online)
        let now = MonotonicClock.nowNanoseconds()
        let seen = try others(of: ring, deadSince: now, cleanupNanoseconds: now / 2)
        #expect(seen.listed(lost) == nil)
        #expect(seen.listed(online) != nil)
    }
}
