// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings
import Testing
import WorkerLink

@testable import ExporterCore

private let (a, b) = (AgentID(high: 1, low: 1), AgentID(high: 1, low: 2))

/// Ingest workers come and go.
@Suite struct ChangingWorkersTests {
    @Test func exporterWorker_asksAndShowsANewIngestWorker() throws {
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

    @Test func exporterWorker_endsRequestsToARemovedIngestWorker() throws {
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

    /// The records that another worker has adopted stand behind a backlog.
    @Test func exporterWorker_keepsARemovedRingUntilTheAdoptersAreRead() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        try workers[1].enter(a, pod: "pod-a", status: .unconnected)
        let exporter = try harness.start(workers)
        nonisolated(unsafe) let adopter = workers[0]
        let seen = try harness.run {
            for _ in 0..<10 { try adopter.ring.append(.roundDone, RawSpan()) }
            try adopter.enter(a, pod: "pod-a", status: .unconnected)
            exporter.core.depart(1, readingAtMostNanoseconds: 0)
            // Said twice it is no other.
            exporter.core.depart(1, readingAtMostNanoseconds: 0)
            var seen = [(exporter.ingestEndpoints.count, exporter.directory.listed().count)]
            while !exporter.ingestEndpoints.followers.allSatisfy(\.isAtHead) {
                exporter.core.readRings(atMostNanoseconds: 0)
                seen.append((exporter.ingestEndpoints.count, exporter.directory.listed().count))
            }
            return seen
        }
        #expect(seen.count > 2 && seen[0] == (2, 1) && seen[seen.count - 1] == (1, 1))
        #expect(seen.allSatisfy { $0.1 == 1 }, "the agent is never missing")
    }

    @Test func exporterWorker_releasesARemovedRingWhenAnotherCannotBeRead() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let exporter = try harness.start(workers)
        nonisolated(unsafe) let other = workers[0]
        try harness.run {
            try other.ring.append(.roundDone, RawSpan())
            let departure = RingDeparture(of: 1, exporter.ingestEndpoints, nowNanoseconds: 5)
            #expect(!departure.isOver(exporter.ingestEndpoints, nowNanoseconds: 5))
            #expect(departure.isOver(exporter.ingestEndpoints, nowNanoseconds: 5 + RingDeparture.longestNanoseconds))
            exporter.core.readRings()
            #expect(departure.isOver(exporter.ingestEndpoints, nowNanoseconds: 5))
        }
    }

    @Test func exporterWorker_servesWithoutAnIngestWorkerInTheMiddle() throws {
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

    @Test func exporterWorker_failsOnARingThatCannotBeMapped() throws {
        let harness = try ExporterHarness()
        let (first, second) = (try FakeIngest(0), try FakeIngest(1))
        let exporter = try harness.start([first])
        let whole = try second.descriptors()
        #expect(throws: WorkerLaunchError.self) {
            try harness.run { try exporter.ringArrived(0, RingDescriptors(dataRing: whole.dataRing)) }
        }
        // Nobody can write commands into this.
        let unfit = try RingDescriptors(
            dataRing: second.descriptors().dataRing, commandRing: second.descriptors().dataRing,
            wakeup: second.descriptors().wakeup)
        #expect(throws: RingError.self) { try harness.run { try exporter.ringArrived(1, unfit) } }
    }

    @Test func exporterWorker_replacesARingByItsSuccessor() throws {
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
        try harness.run { exporter.state.crashGuard.marker.begin(RecordName(worker: 3, sequence: 9)) }
        #expect(
            try new.notes() == [RecordName(worker: 3, sequence: 9).word]
                + Array(repeating: 0, count: ExporterMarker.allCases.count - 1))
        #expect(try old.notes() == ExporterMarker.allCases.map { _ in 0 })
    }

    @Test func exporterWorker_doesNotWaitForADrainingIngestWorker() throws {
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
        try harness.run { exporter.core.readRings() }
        #expect(try harness.run { exporter.collections.underWay } == 0)
        #expect(harness.answer(of: waiting).contains("\nvalue_b{"))
        // Not asked again, and its last sample serves.
        let next = try harness.scrape([workers[0]]) { _ in try workers[0].sample("value_a", 3, of: slots[0]) }
        #expect(next.contains("\nvalue_b{"))
        #expect(workers[1].command() == nil)
        let health = harness.get("/health")
        #expect(health.contains("\"status\":\"healthy\"") && health.contains("\"state\":\"draining\""))
    }

    @Test func exporterWorker_showsTheStateThatTheSupervisorSends() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        try harness.start([worker])
        harness.control.setDegradedReason("ingest-0 has died 3 times")
        harness.control.setCounter(SupervisorCounter.reloadsFailed.rawValue, 4)
        harness.control.setCounter(SupervisorCounter.ringsReset.rawValue, 5)
        let health = harness.get("/health")
        #expect(health.contains("\"status\":\"degraded\",\"reason\":\"ingest-0 has died 3 times\""))
        let text = try harness.scrape([worker])
        #expect(text.contains("\nfodc_proxy_reloads_total{outcome=\"failed\"} 4\n"))
        #expect(text.contains("\nfodc_proxy_rings_reset_total 5\n"))
    }
}
