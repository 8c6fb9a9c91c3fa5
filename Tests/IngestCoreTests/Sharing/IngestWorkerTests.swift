// SPDX-License-Identifier: Apache-2.0
import Exchange
import Glibc
import Lanes
import Platform
import Testing
import WorkerLink

@testable import IngestCore

@Suite struct IngestWorkerTests {
    @Test func lanesComeAndGo() throws {
        let worker = try WorkerOnLoop()
        let (first, second) = (try LaneUnderAdoption(), try LaneUnderAdoption())
        for lane in [first, second, second] {
            let copy = try LaneFile.reopenReadOnly(lane.descriptor)
            try worker.onLoop { $0.laneArrived(1, LaneDescriptors(up: copy)) }
            #expect(try worker.onLoop { $0.otherLanes.indices } == [1])
        }
        try worker.onLoop { $0.laneGone(1) }
        try worker.onLoop { $0.laneGone(7) }
        #expect(try worker.onLoop { $0.otherLanes.indices }.isEmpty)
        #expect(try worker.onLoop { $0.otherLanes.reader(1) == nil })
        try worker.stop()
    }

    @Test func aReplacedLaneIsReadAndNotTheOldOne() throws {
        let worker = try WorkerOnLoop()
        let (old, new) = (try LaneUnderAdoption(), try LaneUnderAdoption())
        try old.add(pod: "old")
        try new.add(pod: "new")
        for lane in [old, new] {
            let copy = try LaneFile.reopenReadOnly(lane.descriptor)
            try worker.onLoop {
                $0.laneArrived(1, LaneDescriptors(up: copy))
                _ = $0.otherLanes.reader(1)
            }
        }
        try worker.adopt(1)
        let pods = try worker.onLoop { $0.service.registry.all.map(\.identity.podName) }
        #expect(pods == ["new"])
        try worker.stop()
    }

    @Test func adoptsManyAgentsAndSaysSo() throws {
        let worker = try WorkerOnLoop()
        let removed = try LaneUnderAdoption()
        for number in 0..<500 { try removed.add(pod: "pod-\(number)", status: .online) }
        let copy = try LaneFile.reopenReadOnly(removed.descriptor)
        try worker.onLoop { $0.laneArrived(3, LaneDescriptors(up: copy)) }
        // The order may come twice, and the lane may go when it is done.
        try worker.adopt(3)
        try worker.adopt(3)
        try worker.onLoop { $0.laneGone(3) }
        let reader = try worker.reader()
        let entries = (0..<reader.slotHighWater).compactMap { reader.entry(at: $0)?.1 }
        #expect(entries.count == 500)
        #expect(entries.allSatisfy { $0.status == .unconnected && $0.samplePosition != AgentEntry.noPosition })
        #expect(reader.counter(IngestCounter.agentsAdopted.rawValue) == 500)
        try worker.stop()
    }

    @Test func whoHasAnsweredAtAnotherWorkerSinceIsLeftThere() throws {
        let worker = try WorkerOnLoop()
        let (removed, other) = (try LaneUnderAdoption(), try LaneUnderAdoption())
        let later = WallClock.nowNanoseconds() + 60_000_000_000
        for pod in ["answered", "back", "away"] { try removed.add(pod: pod, registeredAt: 1000) }
        try other.add(pod: "answered", status: .online, registeredAt: 2000)
        try other.add(pod: "back", status: .online, registeredAt: later)
        for (index, lane) in [(1, other), (3, removed)] {
            let copy = try LaneFile.reopenReadOnly(lane.descriptor)
            try worker.onLoop { $0.laneArrived(index, LaneDescriptors(up: copy)) }
        }
        var row = ControlWorker()
        row.state = .running
        worker.control.set(row, .ingest, 1)
        try worker.adopt(3)
        let pods = try worker.onLoop { $0.service.registry.all.map(\.identity.podName).sorted() }
        #expect(pods == ["away", "back"])
        try worker.stop()
    }

    @Test func aLaneThatIsNoneIsAdoptedAtOnce() throws {
        let worker = try WorkerOnLoop()
        try worker.adopt(5)
        let empty = try LaneFile.create(name: "test-empty", kind: .up)
        try worker.onLoop { $0.laneArrived(5, LaneDescriptors(up: empty)) }
        try worker.adopt(5)
        #expect(try worker.onLoop { $0.service.registry.count } == 0)
        try worker.stop()
    }

    @Test func whoStandsByChecksWhatItWasGiven() throws {
        let worker = try WorkerOnLoop()
        let launch = worker.launch
        // The lane is written by somebody meanwhile, and is left alone.
        try IngestWorker.check(launch)
        guard case .ingest(let lanes) = launch.descriptors.lanes else { return }
        // A lane's number on something else: a socket.
        dup2(lanes.bellA, lanes.downA)
        #expect(throws: WorkerLaunchError.self) { try IngestWorker.check(launch) }
        try worker.stop()
    }
}
