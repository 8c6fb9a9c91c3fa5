// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings
import Testing

@testable import ExporterCore

private let (a, b) = (AgentID(high: 1, low: 1), AgentID(high: 1, low: 2))

/// One agent in several rings, and samples that are older than they look.
@Suite struct JoinedRingsTests {
    @Test func agentDirectory_joinsRemoteStreamsToTheOwningWorkersAgent() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        let owner = try workers[0].enter(a, pod: "pod-a", streams: [.registration, .topology])
        let remote = try workers[1].enter(
            a, pod: "pod-a", status: .remote, streams: [.metrics, .pressureProfiles], owner: 1)
        let exporter = try harness.start(workers)
        let text = try harness.scrape(workers) { _ in try workers[1].sample("value_a", 1, of: remote) }
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
        workers[1].set(a, at: remote, status: .remote, owner: 1)
        #expect(try harness.scrape(workers).contains("\nvalue_a{"))
        // Its owning worker goes: it belongs to no worker, whatever is still there.
        workers[0].ring.releaseSlot(owner)
        #expect(harness.get("/health").contains("\"agents_total\":0"))
        #expect(!(try harness.scrape(workers).contains("\nvalue_a{")))
    }

    @Test func agentDirectory_doesNotListPendingRegistrations() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        try worker.enter(a, pod: "pod-a", status: .pending)
        try harness.start([worker])
        #expect(harness.get("/health").contains("\"agents_total\":0"))
    }

    @Test func agentDirectory_prefersTheNewestRegistration() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<3).map { try FakeIngest($0) }
        try workers[0].enter(a, pod: "old", registeredAt: 1_000)
        try workers[1].enter(a, pod: "new", registeredAt: 2_000)
        try workers[2].enter(a, pod: "gone", status: .unconnected, registeredAt: 3_000)
        try harness.start(workers)
        let cluster = harness.get("/cluster")
        #expect(cluster.contains("\"new\"") && !cluster.contains("\"old\"") && !cluster.contains("\"gone\""))
    }

    @Test func stalenessPolicy_doesNotCountACopiedSampleAsAnAnswer() throws {
        let harness = try ExporterHarness(staleGrace: "0s")
        let worker = try FakeIngest(0)
        let slots = [try worker.enter(a, pod: "pod-a"), try worker.enter(b, pod: "pod-b")]
        try harness.start([worker])
        // Read during the collection, but received long before: out of the ring of a worker that is no more.
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

    @Test func stalenessPolicy_servesACopiedSampleWithinTheGraceOfTheLoss() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let slot = try worker.enter(a, pod: "pod-a", status: .unconnected, streams: [])
        try harness.start([worker])
        try worker.sample("value_a", 1, of: slot, age: .seconds(60))
        worker.wake()
        #expect(try harness.scrape([worker]).contains("\nvalue_a{"))
    }

    @Test func stalenessPolicy_servesInheritedSamplesForTheGrace() throws {
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
