// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Testing
import WorkerLink

@testable import SupervisorCore

/// The recorder is started, watched and replaced; nobody else ever waits for it or falls with it.
struct FleetRecorderTests {
    private static let recorder = WorkerName(.recorder)

    @Test func fleet_startsARecorderWhenRecordingIsEnabled() {
        var harness = FleetHarness(records: true)
        harness.tick()
        #expect(harness.launches.map(\.worker).contains(Self.recorder))
        var other = FleetHarness()
        other.tick()
        #expect(!other.launches.map(\.worker).contains(Self.recorder))
        #expect(other.fleet.recorder == nil)
    }

    @Test func fleet_servesWithoutItsRecorder() {
        var harness = FleetHarness(records: true)
        harness.tick()
        for slot in harness.fleet.servingSlots { harness.bring(.ready(slot.serving?.id ?? 0)) }
        #expect(harness.fleet.phase == .serving, "the recorder is not ready yet")
    }

    @Test func fleet_servesWhenTheRecorderCannotStart() {
        var harness = FleetHarness(records: true)
        harness.tick()
        harness.exit(harness.recorder, code: 1)
        #expect(harness.fleet.startFailure == nil)
        #expect(harness.fleet.phase == .starting)
        for _ in 0..<4 {
            harness.tick(after: 6)
            if harness.recorder != 0 { harness.exit(harness.recorder, code: 1) }
        }
        #expect(harness.fleet.troubles.contains { $0.contains("recorder") })
    }

    @Test func fleet_restartsTheRecorder() {
        var harness = FleetHarness.serving(records: true)
        let first = harness.recorder
        harness.killed(first)
        #expect(harness.launches.map(\.worker) == [Self.recorder])
        #expect(harness.launches.first?.generation == 2)
        #expect(harness.signals(harness.exporter).isEmpty)
        harness.bring(.ready(harness.recorder))
        harness.bring(.stalled(harness.recorder, .noHeartbeat))
        #expect(harness.signals(harness.recorder) == [.abort])
    }

    @Test func reload_replacesTheRecorderWithoutWaitingForIt() {
        var harness = FleetHarness.serving(ingest: 1, records: true)
        let first = harness.recorder
        harness.bring(.reload(9))
        harness.bring(.checked(failure: nil))
        harness.bring(.requestsAnswered)
        harness.fleet.resumeAfterExec(wanted: 1, configured: 1, records: true, request: 9)
        harness.tick()
        #expect(harness.orders(first) == [.drain(within: Fleet.drainNanoseconds)])
        // It never ends: the reload does.
        harness.bring(.standsBy(harness.standby(0)))
        harness.bring(.ready(harness.fleet.exporter.standby?.id ?? 0))
        harness.exit(harness.serving(0))
        harness.bring(.ready(harness.serving(0)))
        #expect(harness.outcome?.request == 9)
        #expect(harness.outcome?.failure == nil)
        // A successor starts when it has ended: the database has one writer.
        #expect(harness.recorder == first)
        harness.exit(first)
        #expect(harness.launches.map(\.worker) == [Self.recorder])
    }

    @Test func reload_turnsTheRecorderOffAndOn() {
        var harness = FleetHarness.serving(ingest: 1, records: true)
        func reload(records: Bool) {
            harness.bring(.reload(9))
            harness.bring(.checked(failure: nil))
            harness.bring(.requestsAnswered)
            harness.fleet.resumeAfterExec(wanted: 1, configured: 1, records: records, request: 9)
            harness.tick()
            let recorder = harness.recorder
            harness.bring(.standsBy(harness.standby(0)))
            harness.bring(.ready(harness.fleet.exporter.standby?.id ?? 0))
            harness.exit(harness.serving(0))
            harness.bring(.ready(harness.serving(0)))
            for process in harness.fleet.exporter.retiring { harness.exit(process.id) }
            if recorder != 0, !records { harness.exit(recorder) }
            harness.tick()
        }
        reload(records: false)
        #expect(harness.fleet.recorder == nil)
        #expect(!harness.fleet.workers.contains(Self.recorder))
        reload(records: true)
        #expect(harness.recorder != 0)
        #expect(harness.fleet.recorder?.generation == 2, "a generation never comes twice")
    }

    @Test func restart_waitsForTheNewRecorder() {
        var harness = FleetHarness.serving(records: true)
        let first = harness.recorder
        harness.bring(.restart(Self.recorder, 7))
        #expect(harness.orders(first) == [.drain(within: Fleet.drainNanoseconds)])
        harness.exit(first)
        #expect(harness.outcome == nil)
        harness.bring(.ready(harness.recorder))
        #expect(harness.outcome?.request == 7 && harness.outcome?.failure == nil)
        #expect(harness.recorder != first)
    }

    @Test func drain_ofTheRecorderIsRefusedWithARemedy() {
        var harness = FleetHarness.serving(records: true)
        harness.bring(.drain(Self.recorder, 7))
        guard case .failed(let reason)? = harness.answers.first else {
            Issue.record("it was not refused")
            return
        }
        #expect(reason.contains("--record-interval 0"))
        var other = FleetHarness.serving()
        other.bring(.restart(Self.recorder, 8))
        #expect(other.answers == [.failed("no such worker recorder; available: ingest-0, ingest-1, exporter")])
    }

    @Test func status_reportsThatNothingIsRecorded() {
        var harness = FleetHarness.serving(records: true)
        #expect(harness.fleet.troubles.isEmpty)
        harness.bring(.recorderTrouble(harness.recorder, .full))
        #expect(harness.fleet.troubles == ["the black box is not recording: \(RecorderTrouble.full.text)"])
        harness.bring(.recorderTrouble(harness.recorder, nil))
        #expect(harness.fleet.troubles.isEmpty)
        harness.bring(.recorderTrouble(9999, .full))
        #expect(harness.fleet.troubles.isEmpty, "a process that is gone says nothing")
    }

    @Test func shutdown_drainsTheRecorderToo() {
        var harness = FleetHarness.serving(records: true)
        let recorder = harness.recorder
        harness.bring(.terminate(monotonic: harness.now))
        #expect(harness.orders(recorder).contains { if case .drainAll = $0 { true } else { false } })
        for id in harness.fleet.slots.flatMap(\.processes).map(\.id) { harness.exit(id) }
        #expect(harness.fleet.isFinished)
    }

    @Test func inheritanceRecord_includesTheRecorder() throws {
        var harness = FleetHarness.serving(records: true)
        harness.killed(harness.recorder)
        var writer = BinaryWriter()
        harness.fleet.write(to: &writer)
        let bytes = writer.bytes
        var reader = BinaryReader(bytes.span.bytes)
        var read = try Fleet(from: &reader)
        #expect(read.recorder?.serving?.id == harness.recorder)
        #expect(read.recorder?.generation == 2)
        read.resumeAfterRestart(rings: 2, wanted: 2, configured: 2, records: true, now: harness.now)
        #expect(read.recorder?.serving == nil)
        #expect(read.recorder?.generation == 2)
    }
}
