// SPDX-License-Identifier: Apache-2.0
import Glibc
import Metrics
import RingMessages
import Rings
import Testing

@testable import ExporterCore

/// An answer that is not whole never looks whole (docs/reliability.md, "Answers that are not whole").
@Suite struct WholeAnswersTests {
    private let reports = [
        "/cluster/topology", "/cluster/config", "/cluster/lifecycle", "/diagnostics", "/pressure-profiles",
        "/pressure-profiles/pod-0/p-1/heap",
    ]

    private func enter(_ count: Int, in worker: FakeIngest, streams: [AgentStream] = [.registration, .metrics]) throws
        -> [SlotRef]
    {
        try (0..<count).map { number in
            try worker.enter(AgentID(high: 1, low: UInt64(number + 1)), pod: "pod-\(number)", streams: streams)
        }
    }

    private func isRefused(_ answer: String) -> Bool {
        answer.hasPrefix("HTTP/1.1 503") && answer.contains("\r\nRetry-After: ")
    }

    @Test func exporterWorker_sharesOneCollectionAmongConcurrentFilters() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let slots = try enter(40, in: worker)
        let exporter = try harness.start([worker])
        let clients = (0..<40).map { harness.ask("/metrics?pod_name=pod-\($0)") }
        try harness.eventually("it comes") { exporter.collections.started + exporter.collections.joined == 40 }
        #expect(try harness.run { exporter.collections.underWay } == Collections.maximumFiltered + 1)
        // Each is served when its own agent has answered; the collection of all is still under way.
        for (number, slot) in slots.enumerated() { try worker.sample("value", Double(number), of: slot) }
        let commands = try (0...Collections.maximumFiltered).map { _ in try worker.awaitCommand() }
        for command in commands.dropLast() { try worker.end(command) }
        for (number, client) in clients.enumerated() {
            let answer = harness.answer(of: client)
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("pod_name=\"pod-\(number)\"} \(number)\n"))
        }
        #expect(try harness.run { exporter.collections.underWay } == 1)
        #expect(worker.command() == nil)
    }

    @Test func exporterWorker_servesAFilteredScrapeFromARecentCollection() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let slots = try enter(3, in: worker)
        try harness.start([worker])
        _ = try harness.scrape([worker]) { _ in
            for slot in slots.dropLast() { try worker.sample("value", 7, of: slot) }
        }
        #expect(harness.get("/metrics?pod_name=pod-1").contains("pod_name=\"pod-1\"} 7\n"))
        #expect(worker.command() == nil)
        // The rest is asked for.
        let client = harness.ask("/metrics?role=ROLE_DATA")
        let command = try worker.awaitCommand()
        try worker.sample("value", 8, of: slots[2])
        try worker.end(command)
        let answer = harness.answer(of: client)
        #expect(answer.contains("pod_name=\"pod-0\"} 7\n") && answer.contains("pod_name=\"pod-2\"} 8\n"))
        // A scrape of all is a new one.
        #expect(try harness.scrape([worker]) { _ in try worker.sample("value", 9, of: slots[0]) }.contains("} 9\n"))
    }

    @Test func exporterWorker_refusesAPartialAnswerWhenAWorkerIsBusy() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        _ = try enter(1, in: worker, streams: AgentStream.allCases)
        try harness.start([worker])
        for path in ["/metrics", "/metrics?role=ROLE_DATA", "/metrics-windows"] + reports {
            let client = harness.ask(path)
            try worker.end(try worker.awaitCommand(), ending: .busy)
            #expect(isRefused(harness.answer(of: client)), "\(path)")
        }
        let scrape = try harness.scrape([worker])
        for path in ["/metrics", "/metrics-windows", "/diagnostics"] {
            #expect(
                scrape.contains(
                    "fodc_proxy_partial_answers_total{cause=\"worker_busy\",outcome=\"refused\",path=\"\(path)\"} "))
            #expect(
                !scrape.contains(
                    "fodc_proxy_partial_answers_total{cause=\"worker_busy\",outcome=\"refused\",path=\"\(path)\"} 0\n"))
        }
    }

    /// Nothing that a worker has not read is overwritten.
    @Test func exporterWorker_refusesAPartialAnswerWhenACommandRingIsFull() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        _ = try enter(1, in: worker)
        let exporter = try harness.start([worker])
        worker.ring.setReadPosition(1, generation: 1, position: 0)
        try harness.run {
            for size in [100_000, 1_000, 8, 0] {
                while exporter.workers.send(.fetchDrop, [UInt8](repeating: 0, count: size), to: 0) != nil {}
            }
        }
        for path in ["/metrics", "/metrics?pod_name=pod-0", "/metrics-windows"] + reports {
            #expect(isRefused(harness.get(path)), "\(path)")
        }
        let head = try harness.run { exporter.ingestEndpoints[0]!.ring.headPosition }
        worker.ring.setReadPosition(1, generation: 1, position: head)
        while worker.command() != nil {}
        let scrape = try harness.scrape([worker])
        #expect(
            scrape.contains(
                "fodc_proxy_partial_answers_total{cause=\"command_ring_full\",outcome=\"refused\",path=\"/metrics\"} 2\n"
            ))
    }

    @Test func exporterWorker_sharesOneCollectionAmongConcurrentReports() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        _ = try enter(30, in: worker, streams: [.registration, .pressureProfiles])
        let exporter = try harness.start([worker])
        let clients = (0..<30).map { harness.ask("/pressure-profiles?pod_name=pod-\($0)") }
        try harness.eventually("it comes") {
            let statistics = exporter.answers.statistics[.pressureProfiles]
            return statistics.map { $0.started + $0.joined == 30 } ?? false
        }
        #expect(try harness.run { exporter.answers.underWay } == AnswerCollections.maximumSelective + 1)
        for _ in 0...AnswerCollections.maximumSelective { try worker.end(try worker.awaitCommand()) }
        for client in clients { #expect(harness.answer(of: client).hasPrefix("HTTP/1.1 200")) }
    }

    @Test func exporterWorker_countsAgentsOfALostWorkerAsNotResponding() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        _ = try enter(2, in: worker, streams: [.registration, .lifecycle])
        let exporter = try harness.start([worker])
        let client = harness.ask("/cluster/lifecycle")
        _ = try worker.awaitCommand()
        harness.set(worker, .draining)
        try harness.run { exporter.core.readRings() }
        let answer = harness.answer(of: client)
        #expect(answer.contains("0/2 requested agents responded"))
        #expect(answer.contains("\r\n\(PartialAnswers.header): 2\r\n"))
    }

    @Test func exporterWorker_completesAReportWhileDraining() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        _ = try enter(1, in: worker, streams: [.registration, .topology])
        let exporter = try harness.start([worker])
        let client = harness.ask("/cluster/topology")
        _ = try worker.awaitCommand()
        try harness.run { exporter.drain(deadlineNanoseconds: .max) {} }
        #expect(isRefused(harness.answer(of: client)))
    }

    /// An answer that its ring has moved, behind more than there is time to read.
    @Test func exporterWorker_refusesAReportWhoseAnswerIsNotFoundInTime() throws {
        let harness = try ExporterHarness()
        nonisolated(unsafe) let worker = try FakeIngest(0)
        let slot = try enter(1, in: worker, streams: [.registration, .topology])[0]
        let answer: [UInt8] = [1, 2]
        let position = try worker.ring.append(.topology, agent: slot, number: 1, isCurrent: true, answer.span.bytes)
        let exporter = try harness.start([worker])
        try harness.run {
            exporter.core.readRings()
            let agents: Set<AgentID> = [AgentID(high: 1, low: 1)]
            let filler = [UInt8](repeating: 0, count: 64 << 10)
            while worker.ring.tailPosition <= position { try worker.ring.append(.profileChunk, filler.span.bytes) }
            let hasty = AnswerReader(
                ingestEndpoints: exporter.ingestEndpoints, crashGuard: exporter.state.crashGuard,
                budget: ReportBudget(limitBytes: 1 << 20),
                readOnNanoseconds: 0)
            #expect(throws: ReportFailure.self) { _ = try hasty.newest(.topology, of: agents) }
            #expect(throws: ReportFailure.self) { _ = try hasty.all(.topology, of: agents) }
            let patient = AnswerReader(
                ingestEndpoints: exporter.ingestEndpoints, crashGuard: exporter.state.crashGuard,
                budget: ReportBudget(limitBytes: 1 << 20),
                readOnNanoseconds: 60_000_000_000)
            #expect(try patient.newest(.topology, of: agents).byAgent.values.map(\.bytes) == [answer])
        }
    }

    @Test func exporterWorker_doesNotReportAProfileMissingWhenItsAgentWasNotAsked() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let slots = try enter(1, in: worker, streams: [.registration, .pressureProfiles])
        try harness.start([worker])
        let path = "/pressure-profiles/pod-0/p-1/heap"
        let unanswered = harness.ask(path)
        try worker.end(try worker.awaitCommand(), unanswered: slots)
        #expect(isRefused(harness.answer(of: unanswered)))
        let answered = harness.ask(path)
        try worker.end(try worker.awaitCommand(), answered: slots)
        #expect(harness.answer(of: answered).hasPrefix("HTTP/1.1 404"))
    }

    @Test func exporterWorker_listsAgentsWithoutAnyAnswer() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let slots = try enter(2, in: worker, streams: [.registration, .topology])
        try harness.start([worker])
        let client = harness.ask("/cluster/topology")
        try worker.end(try worker.awaitCommand(), unanswered: slots)
        let answer = harness.answer(of: client)
        #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("\r\n\(PartialAnswers.header): 2\r\n"))
    }
}
