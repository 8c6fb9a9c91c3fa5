// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing
import WorkerLink

@testable import SupervisorCore

/// Rings that are to be emptied while something else is under way.
@Suite struct FleetRingTests {
    private let drain = Fleet.Order.drain(within: Fleet.drainNanoseconds)
    private let exporterName = WorkerName(.exporter)

    /// A process that empties the ring of `ingest-1`, and is not ready yet.
    private func emptying(ingest: Int = 2) -> (harness: FleetHarness, id: FleetProcess.ID) {
        var harness = FleetHarness.serving(ingest: ingest)
        let damaged = harness.serving(1)
        harness.bring(.ringDamaged(1, "it is damaged"))
        harness.exit(damaged)
        precondition(harness.launches.map(\.isFresh) == [true], "a process that empties the ring comes up")
        return (harness, harness.serving(1))
    }

    @Test func drain_waitsUntilTheRingIsEmpty() {
        var (harness, id) = emptying()
        harness.bring(.drain(harness.ingest(1), 9))
        #expect(harness.orders(id).isEmpty && harness.outcome == nil, "it has not emptied the ring yet")
        harness.bring(.ready(id))
        #expect(harness.orders(id) == [drain])
        harness.exit(id)
        #expect(harness.outcome?.request == 9 && harness.outcome?.failure == nil)
        #expect(harness.launches.isEmpty && harness.fleet.ingest[1].serving == nil)
    }

    @Test func scaleDown_waitsUntilTheRingIsEmpty() {
        var (harness, id) = emptying()
        harness.bring(.scale(1, 9))
        #expect(harness.orders(id).isEmpty && harness.outcome == nil)
        harness.bring(.ready(id))
        #expect(harness.orders(id) == [drain])
        harness.exit(id)
        #expect(harness.actions.contains(.adoptRing(1, by: harness.serving(0))))
    }

    /// The exporter dies so often over no ring in particular, one time short of what empties its own rings.
    private func suspicious() -> FleetHarness {
        var harness = FleetHarness.serving()
        for _ in 1..<CrashAttribution.deathsOfRing {
            harness.killed(harness.exporter, by: SIGSEGV)
            #expect(!harness.actions.contains(.countRingReset))
            harness.tick(after: 5)
            harness.bring(.ready(harness.exporter))
        }
        return harness
    }

    @Test func exporter_startsWithEmptyRings_whenItKeepsDyingWithoutASuspect() {
        var harness = suspicious()
        harness.killed(harness.exporter, by: SIGSEGV)
        #expect(harness.actions.contains(.countRingReset))
        harness.tick(after: 5)
        #expect(harness.launches.map(\.isFresh) == [true])
        harness.bring(.ready(harness.exporter))
        harness.killed(harness.exporter, by: SIGKILL)
        harness.tick(after: 5)
        #expect(harness.fleet.exporter.generation == UInt64(CrashAttribution.deathsOfRing) + 2)
        #expect(!harness.fleet.exporter.needsEmptyRing, "once")
    }

    /// A record that the successor could not bear does not disturb the one that serves with the same rings.
    @Test func exporter_keepsItsRings_whenItsSuccessorDies() {
        var harness = suspicious()
        let serving = harness.exporter
        harness.bring(.restart(exporterName, 9))
        harness.killed(harness.fleet.exporter.standby?.id ?? 0, by: SIGSEGV)
        #expect(harness.outcome?.failure?.contains("exporter did not become ready: SIGSEGV") == true)
        #expect(!harness.actions.contains(.countRingReset) && harness.exporter == serving)
        #expect(!harness.fleet.exporter.needsEmptyRing && harness.fleet.exporter.isCurrent)
        harness.killed(serving, by: SIGSEGV)
        harness.tick(after: 5)
        #expect(harness.fleet.exporter.serving != nil && !harness.fleet.exporter.needsEmptyRing)
    }

    // MARK: Readers that are woken

    /// Nobody is started in its place, whose start would wake them.
    @Test func workerExit_wakesReaders_alsoWithoutASuccessor() {
        var harness = FleetHarness.serving()
        let id = harness.serving(1)
        harness.bring(.drain(harness.ingest(1), nil))
        harness.exit(id)
        #expect(harness.launches.isEmpty && harness.wakes)
        let other = harness.serving(0)
        for _ in 0..<2 { harness.killed(harness.serving(0)) }
        #expect(harness.serving(0) == 0 && other != 0 && harness.launches.isEmpty && harness.wakes)
        harness.tick(after: 5)
        #expect(harness.launches.map(\.worker) == [harness.ingest(0)] && harness.wakes, "and a start does as well")
    }

    // MARK: What a rollout leaves behind

    @Test func leavingWorkers_acceptAgain_whenTheRolloutFails() {
        var harness = FleetHarness.serving(ingest: 3)
        let (second, third) = (harness.serving(1), harness.serving(2))
        harness.bring(.scale(1, 9))
        for id in [second, third] { harness.bring(.stopsAccepting(id)) }
        #expect(harness.orders(third) == [drain])
        for _ in 0..<3 where harness.outcome == nil { harness.tick(after: 10) }
        #expect(harness.outcome?.request == 9 && harness.outcome?.failure != nil, "the third does not end")
        #expect(harness.orders(second) == [.accepting(true)])
        #expect(harness.fleet.ingest[1].serving?.isAccepting == true)
    }

    @Test func standby_hasLessTimeForTheRingThanAProcessHasToStart() {
        var harness = FleetHarness.serving(ingest: 1)
        harness.bring(.restart(harness.ingest(0), 9))
        let next = harness.standby(0)
        harness.bring(.standsBy(next))
        harness.exit(harness.serving(0))
        #expect(harness.orders(next) == [.takeRing])
        harness.tick(after: 3.9)
        #expect(harness.signals(next).isEmpty)
        harness.tick(after: 0.1)
        #expect(harness.signals(next) == [.abort])
    }
}
