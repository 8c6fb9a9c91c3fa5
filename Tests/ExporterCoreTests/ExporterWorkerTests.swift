// SPDX-License-Identifier: Apache-2.0
import Exchange
import Glibc
import Lanes
import Logging
import Platform
import Synchronization
import Testing
import WorkerLink

@testable import ExporterCore

private let (a, b) = (AgentID(high: 1, low: 1), AgentID(high: 1, low: 2))

/// Ingest workers come and go.
@Suite struct ChangingWorkersTests {
    @Test func aWorkerThatArrivesIsAskedAndShown() throws {
        let harness = try ExporterHarness()
        let (first, second) = (try FakeIngest(0), try FakeIngest(1))
        let slot = try first.enter(a, pod: "pod-a")
        try harness.start([first])
        let other = try second.enter(b, pod: "pod-b")
        try second.sample("value_b", 1, of: other)
        try harness.bring(second)
        #expect(harness.get("/health").contains("\"agents_online\":2,\"agents_total\":2"))
        let text = try harness.scrape([first, second]) { _ in
            try first.sample("value_a", 1, of: slot)
            try second.sample("value_b", 2, of: other)
        }
        #expect(text.contains("\nvalue_a{") && text.contains("\nvalue_b{"))
        #expect(text.contains("fodc_proxy_worker_up{worker=\"ingest-1\"} 1"))
    }

    @Test func oneThatIsRemovedEndsWhatWaitsForIt() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let slot = try workers[0].enter(a, pod: "pod-a")
        let exporter = try harness.start(workers)
        let (scrape, report) = (harness.ask("/metrics"), harness.ask("/cluster/topology"))
        for _ in 0..<2 {
            let command = try workers[0].awaitCommand()
            if command.type == .collect { try workers[0].sample("value_a", 1, of: slot) }
            try workers[0].end(command, answered: [slot])
            _ = try workers[1].awaitCommand()
        }
        try harness.remove(1)
        #expect(try harness.run { [exporter.collections.underWay, exporter.answers.underWay] } == [0, 0])
        #expect(harness.answer(of: scrape).contains("\nvalue_a{"))
        #expect(harness.answer(of: report).contains("200 OK"))
        #expect(!harness.get("/health").contains("ingest-1"))
        #expect(try harness.scrape([workers[0]]).contains("200 OK"))
        #expect(workers[1].command() == nil)
    }

    /// What another has taken over of its agents stands behind a backlog.
    @Test func oneThatIsRemovedStaysUntilTheOthersHaveBeenRead() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        try workers[1].enter(a, pod: "pod-a", status: .unconnected)
        let exporter = try harness.start(workers)
        nonisolated(unsafe) let adopter = workers[0]
        let seen = try harness.run {
            for _ in 0..<10 { try adopter.lane.append(.roundDone, RawSpan()) }
            try adopter.enter(a, pod: "pod-a", status: .unconnected)
            exporter.core.depart(1, readingAtMostNanoseconds: 0)
            // Said twice it is no other.
            exporter.core.depart(1, readingAtMostNanoseconds: 0)
            var seen = [(exporter.peers.count, exporter.directory.listed().count)]
            while !exporter.peers.followers.allSatisfy(\.isAtHead) {
                exporter.core.readLanes(atMostNanoseconds: 0)
                seen.append((exporter.peers.count, exporter.directory.listed().count))
            }
            return seen
        }
        #expect(seen.count > 2 && seen[0] == (2, 1) && seen[seen.count - 1] == (1, 1))
        #expect(seen.allSatisfy { $0.1 == 1 }, "the agent is never missing")
    }

    @Test func aLaneThatIsNotReadOnKeepsNoOtherForEver() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let exporter = try harness.start(workers)
        nonisolated(unsafe) let other = workers[0]
        try harness.run {
            try other.lane.append(.roundDone, RawSpan())
            let departure = LaneDeparture(of: 1, exporter.peers, nowNanoseconds: 5)
            #expect(!departure.isOver(exporter.peers, nowNanoseconds: 5))
            #expect(departure.isOver(exporter.peers, nowNanoseconds: 5 + LaneDeparture.longestNanoseconds))
            exporter.core.readLanes()
            #expect(departure.isOver(exporter.peers, nowNanoseconds: 5))
        }
    }

    @Test func aPlaceInTheMiddleMayBeEmpty() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<3).map { try FakeIngest($0) }
        let slot = try workers[2].enter(a, pod: "pod-a")
        try harness.start(workers)
        try harness.remove(1)
        try harness.remove(7)
        let text = try harness.scrape([workers[0], workers[2]]) { _ in try workers[2].sample("value_a", 1, of: slot) }
        #expect(text.contains("\nvalue_a{") && !text.contains("worker=\"ingest-1\""))
        let health = harness.get("/health")
        #expect(health.contains("\"status\":\"healthy\"") && !health.contains("ingest-1"))
    }

    @Test func aLaneThatCannotBeTakenIsNotPassedOver() throws {
        let harness = try ExporterHarness()
        let (first, second) = (try FakeIngest(0), try FakeIngest(1))
        let exporter = try harness.start([first])
        let whole = try second.descriptors()
        #expect(throws: WorkerLaunchError.self) {
            try harness.run { try exporter.laneArrived(0, LaneDescriptors(up: whole.up)) }
        }
        // Nobody can write commands into this.
        let unfit = try LaneDescriptors(
            up: second.descriptors().up, down: second.descriptors().up, bell: second.descriptors().bell)
        #expect(throws: LaneError.self) { try harness.run { try exporter.laneArrived(1, unfit) } }
    }

    @Test func aNewLaneTakesThePlaceOfTheOld() throws {
        let harness = try ExporterHarness()
        let (old, new) = (try FakeIngest(0), try FakeIngest(0))
        try old.enter(a, pod: "pod-a")
        let exporter = try harness.start([old])
        try new.enter(b, pod: "pod-b")
        try harness.bring(new)
        let cluster = harness.get("/cluster")
        #expect(cluster.contains("pod-b") && !cluster.contains("pod-a"))
        #expect(try harness.scrape([new]).contains("200 OK"))
        #expect(old.command() == nil)
        // The notes of what is being read stand in the new one from now on.
        try harness.run { exporter.state.watch.note.begin(RecordName(worker: 3, sequence: 9)) }
        #expect(try new.notes() == [RecordName(worker: 3, sequence: 9).word] + [0, 0, 0, 0, 0, 0])
        #expect(try old.notes() == [0, 0, 0, 0, 0, 0, 0])
    }

    @Test func oneThatDrainsIsNotWaitedFor() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let slots = [try workers[0].enter(a, pod: "pod-a"), try workers[1].enter(b, pod: "pod-b")]
        let exporter = try harness.start(workers)
        let both = try harness.scrape(workers) { _ in
            try workers[0].sample("value_a", 1, of: slots[0])
            try workers[1].sample("value_b", 1, of: slots[1])
        }
        #expect(both.contains("\nvalue_b{"))
        let waiting = harness.ask("/metrics")
        let command = try workers[0].awaitCommand()
        _ = try workers[1].awaitCommand()
        try workers[0].sample("value_a", 2, of: slots[0])
        try workers[0].end(command)
        harness.set(workers[1], .draining)
        try harness.run { exporter.core.readLanes() }
        #expect(try harness.run { exporter.collections.underWay } == 0)
        #expect(harness.answer(of: waiting).contains("\nvalue_b{"))
        // Not asked again, and its last sample serves.
        let next = try harness.scrape([workers[0]]) { _ in try workers[0].sample("value_a", 3, of: slots[0]) }
        #expect(next.contains("\nvalue_b{"))
        #expect(workers[1].command() == nil)
        let health = harness.get("/health")
        #expect(health.contains("\"status\":\"healthy\"") && health.contains("\"state\":\"draining\""))
    }

    @Test func whatTheSupervisorSaysIsTold() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        try harness.start([worker])
        harness.control.setDegradedReason("ingest-0 has died 3 times")
        harness.control.setCounter(ControlCounter.reloadsFailed.rawValue, 4)
        harness.control.setCounter(ControlCounter.lanesQuarantined.rawValue, 5)
        let health = harness.get("/health")
        #expect(health.contains("\"status\":\"degraded\",\"reason\":\"ingest-0 has died 3 times\""))
        let text = try harness.scrape([worker])
        #expect(text.contains("\nfodc_proxy_reloads_total{outcome=\"failed\"} 4\n"))
        #expect(text.contains("\nfodc_proxy_lanes_quarantined_total 5\n"))
    }
}

/// One agent in several lanes, and samples that are older than they look.
@Suite struct JoinedLanesTests {
    @Test func foreignStreamsBelongToTheAgentAtHome() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let home = try workers[0].enter(a, pod: "pod-a", streams: [.registration, .topology])
        let foreign = try workers[1].enter(
            a, pod: "pod-a", status: .foreign, streams: [.metrics, .pressureProfiles], home: 1)
        let exporter = try harness.start(workers)
        let text = try harness.scrape(workers) { _ in try workers[1].sample("value_a", 1, of: foreign) }
        #expect(text.contains("\nvalue_a{"))
        #expect(text.contains("fodc_proxy_agents{state=\"online\"} 1"))
        let cluster = harness.get("/cluster")
        for stream in ["metrics", "topology", "pressure_profiles"] { #expect(cluster.contains("\"\(stream)\"")) }
        let places = try harness.run {
            let listed = exporter.directory.listed()[a]
            return [listed?.worker, listed?.worker(having: .topology), listed?.worker(having: .pressureProfiles)]
        }
        #expect(places == [0, 0, 1])

        // Its stream there ends: that is a loss, and its last sample serves.
        workers[1].set(a, at: foreign, status: .foreign, home: 1)
        #expect(try harness.scrape(workers).contains("\nvalue_a{"))
        // Its home goes: nobody's, whatever is still there.
        workers[0].lane.releaseSlot(home)
        #expect(harness.get("/health").contains("\"agents_total\":0"))
        #expect(!(try harness.scrape(workers).contains("\nvalue_a{")))
    }

    @Test func claimsListNobody() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        try worker.enter(a, pod: "pod-a", status: .pending)
        try harness.start([worker])
        #expect(harness.get("/health").contains("\"agents_total\":0"))
    }

    @Test func theNewestRegistrationIsHome() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<3).map { try FakeIngest($0) }
        try workers[0].enter(a, pod: "old", registeredAt: 1_000)
        try workers[1].enter(a, pod: "new", registeredAt: 2_000)
        try workers[2].enter(a, pod: "gone", status: .unconnected, registeredAt: 3_000)
        try harness.start(workers)
        let cluster = harness.get("/cluster")
        #expect(cluster.contains("\"new\"") && !cluster.contains("\"old\"") && !cluster.contains("\"gone\""))
    }

    @Test func aCopiedSampleIsNoAnswer() throws {
        let harness = try ExporterHarness(staleGrace: "0s")
        let worker = try FakeIngest(0)
        let slots = [try worker.enter(a, pod: "pod-a"), try worker.enter(b, pod: "pod-b")]
        try harness.start([worker])
        // Read during the collection, but received long before: out of the lane of a worker that is no more.
        let text = try harness.scrape([worker]) { _ in
            try worker.sample("value_a", 1, of: slots[0], age: .seconds(60))
            try worker.sample("value_b", 1, of: slots[1])
        }
        #expect(!text.contains("\nvalue_a{") && text.contains("\nvalue_b{"))
        let line = text.split(separator: "\n").first {
            $0.hasPrefix("fodc_proxy_agent_last_sample_age_seconds{agent_id=\"\(a)\",pod_name=\"pod-a\"} ")
        }
        let age = line.flatMap { Double($0.split(separator: " ")[1]) } ?? 0
        #expect(age >= 60 && age < 100)
    }

    @Test func aCopiedSampleServesInTheGraceOfItsAgentsLoss() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let slot = try worker.enter(a, pod: "pod-a", status: .unconnected, streams: [])
        try harness.start([worker])
        try worker.sample("value_a", 1, of: slot, age: .seconds(60))
        worker.ring()
        #expect(try harness.scrape([worker]).contains("\nvalue_a{"))
    }

    @Test func samplesThatWereThereServeForTheGrace() throws {
        for (grace, isShown) in [("15s", true), ("0s", false)] {
            let harness = try ExporterHarness(staleGrace: grace)
            let worker = try FakeIngest(0)
            let slot = try worker.enter(a, pod: "pod-a", registeredAt: 1_000)
            try worker.sample("value_a", 1, of: slot, age: .seconds(30))
            try harness.start([worker])
            #expect(try harness.scrape([worker]).contains("\nvalue_a{") == isShown)
        }
    }
}

/// A successor takes over.
@Suite struct RetiringTests {
    @Test func eachConnectionGetsOneMoreAnswerAndNoneIsCut() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let old = try harness.start([workers[0]])
        let kept = harness.ask("/health", connection: "keep-alive")
        _ = kept.receive()
        let busy = harness.ask("/metrics", connection: "keep-alive")
        let command = try workers[0].awaitCommand()
        // The successor has command lanes of its own.
        try harness.start([workers[1]], generation: 2)
        let isDone = Flag()
        let deadline = MonotonicClock.nowNanoseconds() + 30_000_000_000
        try harness.run { old.retire(deadlineNanoseconds: deadline) { isDone.set() } }

        #expect(harness.get("/health").contains("200 OK"))
        kept.send("GET /health HTTP/1.1\r\nHost: t\r\n\r\n")
        let last = harness.answer(of: kept)
        #expect(last.contains("200 OK") && last.contains("Connection: close"))
        try workers[0].end(command)
        #expect(harness.answer(of: busy).contains("Connection: close"))
        busy.leave()
        kept.leave()
        for _ in 0..<15_000 where !isDone.isSet { usleep(2000) }
        #expect(isDone.isSet)
    }

    @Test func whatIsLeftIsDrainedBeforeTheDeadline() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let old = try harness.start([worker])
        let idle = harness.ask("/health", connection: "keep-alive")
        _ = idle.receive()
        let busy = harness.ask("/metrics", connection: "keep-alive")
        _ = try worker.awaitCommand()
        let isDone = Flag()
        try harness.run {
            old.retire(deadlineNanoseconds: MonotonicClock.nowNanoseconds() + 3_500_000_000) { isDone.set() }
        }
        // Its collection ends with what has come, half a second from now.
        #expect(harness.answer(of: busy).contains("200 OK"))
        #expect(idle.receive().end == .closed)
        busy.leave()
        for _ in 0..<15_000 where !isDone.isSet { usleep(2000) }
        #expect(isDone.isSet)
    }

    @Test func theStateLaneGoesFromOneToTheOther() throws {
        let descriptor = try LaneFile.create(name: "fake-state", kind: .state)
        defer { MemoryFile.close(descriptor) }
        let first = try state(descriptor, 1)
        first.saveSchema([1])
        // As if another process wrote it.
        let other = ForeignWriter(descriptor)
        let second = try state(descriptor, 2)
        #expect(second.schema == [1])
        var newer: [[UInt8]] = []
        second.onNewerSchema = { newer.append($0) }
        first.saveSchema([2])
        second.tick(nowNanoseconds: later())
        #expect(newer == [])
        other.endNow()
        first.release()
        first.saveSchema([3])
        second.tick(nowNanoseconds: later())
        #expect(newer == [[2]] && second.schema == [2])
        second.saveSchema([4])
        #expect(try state(descriptor, 3).schema == [4])
    }

    @Test func whatIsComputedMeanwhileIsKeptForLater() throws {
        let descriptor = try LaneFile.create(name: "fake-state", kind: .state)
        defer { MemoryFile.close(descriptor) }
        let first = try state(descriptor, 1)
        first.saveSchema([1])
        let other = ForeignWriter(descriptor)
        let name = RecordName(word: 72_057_594_037_927_941)
        let second = try state(descriptor, 2, suspects: [name, .none])
        second.saveSchema([2])
        other.endNow()
        first.release()
        second.tick(nowNanoseconds: later())
        // A second death over the same record.
        let third = try state(descriptor, 3, suspects: [name])
        #expect(third.schema == [2])
        #expect(!third.watch.mayRead(name))
        #expect(second.watch.mayRead(name))
    }

    /// Each time so much later that the lane is tried again.
    private func later() -> UInt64 {
        Self.seconds.withLock { seconds in
            seconds += 10
            return MonotonicClock.nowNanoseconds() + seconds * 1_000_000_000
        }
    }

    private static let seconds = Mutex<UInt64>(0)

    private func state(
        _ descriptor: Int32, _ generation: UInt64, suspects: [RecordName] = []
    ) throws -> ExporterState {
        try ExporterState(
            descriptor: descriptor, generation: generation, suspects: suspects, ingestWorkers: 4,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}
