// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings
import Testing

@testable import ExporterCore

/// A window of which a part is missing; the test is the ingest worker.
@Suite struct WindowCollectionTests {
    private static let path = "/metrics-windows?start_time=2026-02-02T10:00:00Z&end_time=2026-02-02T10:05:00Z"

    private func end(
        _ command: FakeIngest.Command, at worker: FakeIngest, records: UInt64 = 0,
        _ outcome: CollectionOutcome = CollectionOutcome(ending: .complete)
    ) throws {
        try worker.ring.append(
            .windowDone, generation: command.generation, number: command.number, subject: records,
            outcome.payload.span.bytes)
        worker.wake()
    }

    @Test func windowCollection_refusesAWindowThatLacksARecord() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        try harness.start([worker])
        for (records, status) in [(UInt64(0), "200 OK"), (1, "503 ")] {
            let client = harness.ask(Self.path)
            let command = try worker.awaitCommand()
            #expect(command.type == .collectWindow)
            try end(command, at: worker, records: records)
            #expect(harness.answer(of: client).hasPrefix("HTTP/1.1 " + status))
        }
        let client = harness.ask("/metrics")
        try worker.end(try worker.awaitCommand())
        #expect(
            harness.answer(of: client).contains(
                "\nfodc_proxy_window_requests_refused_total{cause=\"records_lost\"} 1\n"))
    }

    @Test(arguments: [CollectionOutcome.Ending.busy, .draining, .deadline])
    func windowCollection_refusesAWindowThatAWorkerDoesNotComplete(_ ending: CollectionOutcome.Ending) throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        try harness.start([worker])
        let client = harness.ask(Self.path)
        try end(try worker.awaitCommand(), at: worker, CollectionOutcome(ending: ending))
        #expect(harness.answer(of: client).hasPrefix("HTTP/1.1 503 "))
    }

    /// With any outcome: else a budget of bytes would be used up after some windows, and each refused from then on.
    @Test func windowCollection_returnsItsBytesAtTheEnd() throws {
        let harness = try ExporterHarness()
        let worker = try FakeIngest(0)
        let slot = try worker.enter(AgentID(high: 1, low: 1), pod: "pod-0")
        let exporter = try harness.start([worker])
        for (records, status) in [(UInt64(1), "200 OK"), (2, "503 ")] {
            let client = harness.ask(Self.path)
            let command = try worker.awaitCommand()
            try worker.window(command, "up", 1, of: slot)
            try harness.eventually("the window has come") { exporter.windows.budget.usedBytes > 0 }
            try end(command, at: worker, records: records)
            #expect(harness.answer(of: client).hasPrefix("HTTP/1.1 " + status))
            #expect(try harness.run { exporter.windows.budget.usedBytes } == 0)
        }
    }

    /// One that fails ends the window: the others are told.
    @Test func windowCollection_tellsTheOtherWorkersOfItsEnd() throws {
        let harness = try ExporterHarness()
        let workers = try (0..<2).map { try FakeIngest($0) }
        try harness.start(workers)
        let client = harness.ask(Self.path)
        let commands = try workers.map { try $0.awaitCommand() }
        try end(commands[0], at: workers[0], CollectionOutcome(ending: .complete, unanswered: [7]))
        #expect(harness.answer(of: client).hasPrefix("HTTP/1.1 503 "))
        let told = try workers[1].awaitCommand()
        #expect(told.type == .windowDrop && told.number == commands[1].number)
    }
}
