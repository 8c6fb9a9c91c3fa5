// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import RingMessages
import Rings
import Testing
import WorkerLink

@testable import IngestCore

@Suite struct IngestWorkerTests {
    @Test func ingestWorker_mapsAndReleasesRingsOfOtherWorkers() throws {
        let worker = try WorkerOnLoop()
        let (first, second) = (try RingUnderAdoption(), try RingUnderAdoption())
        for ring in [first, second, second] {
            let copy = try RingFile.reopenReadOnly(ring.descriptor)
            try worker.onLoop { $0.ringArrived(1, RingDescriptors(dataRing: copy)) }
            #expect(try worker.onLoop { $0.otherRings.indices } == [1])
        }
        try worker.onLoop { $0.ringGone(1) }
        try worker.onLoop { $0.ringGone(7) }
        #expect(try worker.onLoop { $0.otherRings.indices }.isEmpty)
        #expect(try worker.onLoop { $0.otherRings.reader(1) == nil })
        try worker.stop()
    }

    @Test func ingestWorker_readsAReplacedRingInsteadOfTheOld() throws {
        let worker = try WorkerOnLoop()
        let (old, new) = (try RingUnderAdoption(), try RingUnderAdoption())
        try old.add(pod: "old")
        try new.add(pod: "new")
        for ring in [old, new] {
            let copy = try RingFile.reopenReadOnly(ring.descriptor)
            try worker.onLoop {
                $0.ringArrived(1, RingDescriptors(dataRing: copy))
                _ = $0.otherRings.reader(1)
            }
        }
        try worker.adopt(1)
        let pods = try worker.onLoop { $0.service.registry.all.map(\.identity.podName) }
        #expect(pods == ["new"])
        try worker.stop()
    }

    @Test func ingestWorker_adoptsManyAgentsAndConfirms() throws {
        let worker = try WorkerOnLoop()
        let removed = try RingUnderAdoption()
        for number in 0..<500 { try removed.add(pod: "pod-\(number)", status: .online) }
        let copy = try RingFile.reopenReadOnly(removed.descriptor)
        try worker.onLoop { $0.ringArrived(3, RingDescriptors(dataRing: copy)) }
        // The order may come twice, and the ring may go when it is done.
        try worker.adopt(3)
        try worker.adopt(3)
        try worker.onLoop { $0.ringGone(3) }
        let reader = try worker.reader()
        let entries = (0..<reader.slotHighWater).compactMap { reader.entry(at: $0)?.1 }
        #expect(entries.count == 500)
        #expect(entries.allSatisfy { $0.status == .unconnected && $0.samplePosition != AgentEntry.noPosition })
        #expect(reader.counter(IngestCounter.agentsAdopted.rawValue) == 500)
        try worker.stop()
    }

    @Test func ingestWorker_leavesAgentsThatAnsweredAtAnotherWorkerSince() throws {
        let worker = try WorkerOnLoop()
        let (removed, other) = (try RingUnderAdoption(), try RingUnderAdoption())
        let later = WallClock.nowNanoseconds() + 60_000_000_000
        for pod in ["answered", "back", "away"] { try removed.add(pod: pod, registeredAt: 1000) }
        try other.add(pod: "answered", status: .online, registeredAt: 2000)
        try other.add(pod: "back", status: .online, registeredAt: later)
        for (index, ring) in [(1, other), (3, removed)] {
            let copy = try RingFile.reopenReadOnly(ring.descriptor)
            try worker.onLoop { $0.ringArrived(index, RingDescriptors(dataRing: copy)) }
        }
        var row = WorkerTableEntry()
        row.state = .running
        worker.control.set(row, .ingest, 1)
        try worker.adopt(3)
        let pods = try worker.onLoop { $0.service.registry.all.map(\.identity.podName).sorted() }
        #expect(pods == ["away", "back"])
        try worker.stop()
    }

    @Test func ingestWorker_confirmsTheAdoptionOfAnEmptyRingAtOnce() throws {
        let worker = try WorkerOnLoop()
        try worker.adopt(5)
        let empty = try RingFile.create(name: "test-empty", kind: .data)
        try worker.onLoop { $0.ringArrived(5, RingDescriptors(dataRing: empty)) }
        try worker.adopt(5)
        #expect(try worker.onLoop { $0.service.registry.count } == 0)
        try worker.stop()
    }

    @Test func ingestWorker_checksItsDescriptorsInStandby() throws {
        let worker = try WorkerOnLoop()
        let launch = worker.launch
        // The ring is written by somebody meanwhile, and is left alone.
        try IngestWorker.check(launch)
        guard case .ingest(let rings) = launch.descriptors.rings else { return }
        // A ring's number on something else: a socket.
        dup2(rings.wakeupA, rings.commandA)
        #expect(throws: WorkerLaunchError.self) { try IngestWorker.check(launch) }
        try worker.stop()
    }
}
