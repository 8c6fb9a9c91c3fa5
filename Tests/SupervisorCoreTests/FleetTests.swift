// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing
import WorkerLink

@testable import SupervisorCore

/// One slot: start, death, stall, end.
@Suite struct FleetTests {
    private let drain = Fleet.Order.drain(within: Fleet.drainNanoseconds)

    @Test func fleet_startsAllWorkersAndServesWhenAllAreReady() {
        var harness = FleetHarness(ingest: 2)
        harness.tick()
        #expect(harness.launches.map(\.worker) == [harness.ingest(0), harness.ingest(1), WorkerName(.exporter)])
        #expect(harness.launches.allSatisfy { $0.generation == 1 && !$0.isStandby && !$0.isFresh && $0.after == nil })
        harness.bring(.ready(harness.serving(0)))
        harness.bring(.ready(harness.exporter))
        #expect(harness.fleet.phase == .starting)
        harness.bring(.ready(harness.serving(1)))
        #expect(harness.fleet.phase == .serving && harness.actions.contains(.serviceReady))
    }

    @Test func fleet_wakesReaders_whenAWorkerIsReadyEndsOrLeaves() {
        var harness = FleetHarness(ingest: 2)
        #expect(harness.tick().contains(.wake))
        #expect(harness.bring(.ready(harness.serving(0))).contains(.wake))
        #expect(harness.killed(harness.serving(0)).contains(.wake))
        harness = .serving()
        harness.bring(.drain(harness.ingest(1), nil))
        #expect(harness.orders(harness.serving(1)) == [drain] && harness.wakes)
        // The entry is there before anybody looks.
        let leaving = harness.actions.firstIndex {
            if case .enter(_, _, .draining) = $0 { true } else { false }
        }
        #expect(leaving.map { $0 < harness.actions.firstIndex(of: .wake) ?? 0 } == true)
    }

    @Test func fleet_wakesReaders_whenARingHasANewWriter() {
        var harness = FleetHarness.serving(ingest: 1)
        harness.bring(.restart(harness.ingest(0), nil))
        harness.bring(.standsBy(harness.standby(0)))
        let next = harness.standby(0)
        harness.exit(harness.serving(0))
        #expect(harness.orders(next) == [.takeRing])
        let taken = harness.actions.firstIndex(of: .send(next, .takeRing)) ?? 0
        #expect(harness.actions[..<taken].last == .wake)
    }

    @Test func fleet_restartsADeadWorkerAtOnceThenWithBackoff() {
        var harness = FleetHarness.serving()
        harness.killed(harness.serving(0))
        #expect(harness.launches.map(\.generation) == [2] && harness.launches[0].after == .killed(signal: 9))
        #expect(harness.log.contains { $0.hasSuffix("; restarting now") })
        harness.killed(harness.serving(0))
        #expect(
            harness.launches.isEmpty && harness.log.contains { $0.hasSuffix("failure 2 in a row; restarting in 0.3 s") }
        )
        harness.tick(after: 0.24)
        #expect(harness.launches.isEmpty)
        harness.tick(after: 0.01)
        #expect(harness.launches.map(\.generation) == [3])
    }

    @Test func fleet_triesAgainLater_whenAProcessCannotBeStarted() {
        var harness = FleetHarness(ingest: 1, isInherited: true)
        harness.tick()
        harness.bring(.startFailed(harness.serving(0)))
        #expect(harness.launches.count == 1)
        harness.bring(.startFailed(harness.serving(0)))
        #expect(harness.launches.isEmpty)
        harness.tick(after: 0.25)
        #expect(harness.launches.count == 1)
    }

    /// Nobody relies on a new service yet, and what the machine lacks will not come by itself.
    @Test func fleet_failsTheStart_whenAProcessOfANewServiceCannotBeStarted() {
        var harness = FleetHarness(ingest: 1)
        harness.tick()
        harness.bring(.startFailed(harness.serving(0)))
        #expect(harness.fleet.startFailure?.hasPrefix("ingest-0 exited with code 127") == true)
        #expect(harness.launches.isEmpty)
    }

    @Test func fleet_abortsThenKills_aWorkerThatStalls() {
        var harness = FleetHarness.serving()
        let id = harness.serving(0)
        harness.bring(.stalled(id, .noHeartbeat))
        #expect(harness.signals(id) == [.abort])
        harness.tick(after: 0.49)
        #expect(harness.signals(id).isEmpty)
        harness.tick(after: 0.01)
        #expect(harness.signals(id) == [.kill])
        // With any signal that hit in the end, the cause is ours.
        harness.killed(id)
        #expect(harness.fleet.ingest[0].lastFailure == .hung(.noHeartbeat))
        #expect(harness.launches.map(\.worker) == [harness.ingest(0)])
    }

    @Test func fleet_abortsAWorkerThatIsNotReadyInTime_andNoneSooner() {
        var harness = FleetHarness(ingest: 1)
        harness.tick()
        let id = harness.serving(0)
        harness.bring(.stalled(id, .noHeartbeat))
        #expect(harness.signals(id).isEmpty, "a worker that does not serve yet cannot stall")
        harness.tick(after: 9.9)
        #expect(harness.signals(id).isEmpty)
        harness.tick(after: 0.1)
        #expect(harness.signals(id) == [.abort])
        harness.bring(.ready(id))
        #expect(!harness.fleet.ingest[0].isServing, "too late")
        harness.killed(id)
        #expect(harness.fleet.ingest[0].lastFailure == .notReady)
    }

    @Test func fleet_endsTheStart_whenAWorkerGivesUp() {
        var harness = FleetHarness(ingest: 1)
        harness.tick()
        let exporter = harness.exporter
        harness.exit(harness.serving(0), code: 3)
        #expect(harness.fleet.startFailure?.contains("ingest-0 exited with code 3") == true)
        #expect(harness.signals(exporter) == [.kill] && harness.launches.isEmpty)
        harness.killed(exporter)
        #expect(harness.fleet.isFinished)
    }

    @Test func fleet_keepsServing_whenAWorkerOfAnInheritedServiceGivesUp() {
        var harness = FleetHarness(ingest: 2, isInherited: true)
        harness.tick()
        harness.exit(harness.serving(1), code: 3)
        #expect(harness.fleet.startFailure == nil && harness.launches.count == 1)
        harness.bring(.ready(harness.serving(0)))
        harness.bring(.ready(harness.exporter))
        harness.tick(after: 9.9)
        #expect(harness.fleet.phase == .starting)
        harness.tick(after: 0.1)
        #expect(harness.fleet.phase == .serving, "one that does not come up delays the others for 10 s only")
    }

    @Test func fleet_forgetsDeaths_afterAHealthyMinute() {
        var harness = FleetHarness.serving()
        harness.killed(harness.serving(0))
        harness.bring(.ready(harness.serving(0)))
        #expect(harness.fleet.ingest[0].policy.deathsInRow == 1)
        harness.tick(after: 60)
        #expect(harness.fleet.ingest[0].policy.deathsInRow == 0)
    }

    @Test func fleet_reportsADegradedWorkerWithReasonAndNextTry() {
        var harness = FleetHarness.serving()
        for _ in 0..<3 {
            harness.tick(after: 5)
            harness.killed(harness.serving(0), by: SIGSEGV)
        }
        #expect(harness.fleet.troubles == ["ingest-0 failed 3 times in 10 s, last SIGSEGV; next try in 0.5 s"])
    }

    // MARK: A ring that somebody else writes

    @Test func fleet_waitsForAnUnrelatedProcessThatWritesARing_andNeverKillsIt() {
        var harness = FleetHarness(ingest: 1, isInherited: true)
        harness.tick()
        for _ in 0..<40 {
            harness.bring(.ringHeld(harness.serving(0), by: 77, isFormerChild: false))
            #expect(!harness.actions.contains(.killRingHolder(0)))
            harness.tick(after: 0.25)
            #expect(harness.launches.map(\.generation) == [1], "it is tried again, as the same generation")
        }
        #expect(
            harness.fleet.troubles == [
                "ingest-0 waits: process 77, which this supervisor has not started, still writes its ring"
            ])
        harness.bring(.ready(harness.serving(0)))
        #expect(harness.fleet.troubles.isEmpty)
    }

    @Test func fleet_killsAFormerChildThatKeepsARing_afterItsTime() {
        var harness = FleetHarness(ingest: 1, isInherited: true)
        harness.tick()
        for step in 0...20 {
            harness.bring(.ringHeld(harness.serving(0), by: 77, isFormerChild: true))
            #expect(harness.actions.contains(.killRingHolder(0)) == (step == 20))
            harness.tick(after: 0.25)
        }
    }

    // MARK: Rings that are emptied, agents that are quarantined

    @Test func fleet_emptiesADamagedRing_onceInTenSeconds() {
        var harness = FleetHarness.serving()
        let id = harness.serving(1)
        harness.bring(.ringDamaged(1, "it is damaged"))
        #expect(harness.orders(id) == [.drain(within: Fleet.ringResetNanoseconds)])
        #expect(harness.actions.contains(.countRingReset))
        harness.exit(id)
        #expect(harness.launches.map(\.isFresh) == [true])
        harness.bring(.ready(harness.serving(1)))
        harness.bring(.ringDamaged(1, "it is damaged"))
        #expect(harness.orders(harness.serving(1)).isEmpty)
        harness.killed(harness.serving(1))
        #expect(harness.launches.map(\.isFresh) == [false])
        harness.bring(.ready(harness.serving(1)))
        harness.tick(after: 10)
        harness.bring(.ringDamaged(1, "it is damaged"))
        #expect(harness.orders(harness.serving(1)).count == 1)
    }

    @Test func fleet_emptiesTheRingOfADrainedWorker_andDrainsItAgain() {
        var harness = FleetHarness.serving()
        harness.bring(.drain(harness.ingest(1), nil))
        harness.exit(harness.serving(1))
        #expect(harness.fleet.ingest[1].serving == nil)
        let evidence = CrashEvidence(records: [7], ring: 1)
        for _ in 0..<CrashAttribution.deathsOfRing {
            harness.tick(after: 6)
            harness.killed(harness.exporter, by: SIGSEGV, evidence)
        }
        let launch = harness.launches.first { $0.worker == harness.ingest(1) }
        #expect(launch?.isFresh == true)
        let id = harness.serving(1)
        harness.bring(.ready(id))
        #expect(harness.orders(id) == [drain])
        harness.exit(id)
        #expect(harness.fleet.ingest[1].serving == nil && harness.launches.isEmpty)
    }

    @Test func fleet_passesTheExportersSuspectsToTheNext() {
        var harness = FleetHarness.serving()
        harness.killed(harness.exporter, by: SIGSEGV, CrashEvidence(records: [7, 9], ring: 0))
        #expect(harness.launches.map(\.suspects) == [[7, 9]])
        harness.killed(harness.exporter, by: SIGKILL)
        harness.tick(after: 1)
        #expect(harness.launches.map(\.suspects) == [[]])
    }

    @Test func fleet_passesTheRecordersSuspectsToTheNext() {
        var harness = FleetHarness.serving(records: true)
        harness.killed(harness.recorder, by: SIGSEGV, CrashEvidence(records: [7], ring: nil))
        #expect(harness.launches.map(\.suspects) == [[7]])
        harness.killed(harness.recorder, by: SIGKILL, CrashEvidence(records: [7], ring: nil))
        harness.tick(after: 1)
        #expect(harness.launches.map(\.suspects) == [[]], "somebody has killed it, and no record")
        #expect(harness.fleet.ingest.allSatisfy { !$0.needsEmptyRing })
    }

    @Test func fleet_quarantinesAnAgent_thatTwoDeathsPointAt() {
        var harness = FleetHarness.serving()
        let evidence = CrashEvidence(identities: [5], onLoop: 5)
        harness.killed(harness.serving(0), by: SIGSEGV, evidence)
        #expect(!harness.actions.contains(.quarantine(identity: 5)))
        let id = harness.serving(1)
        harness.bring(.stalled(id, .noHeartbeat))
        harness.killed(id, by: SIGABRT, evidence)
        #expect(harness.actions.contains(.quarantine(identity: 5)))
    }

    // MARK: The end of the service

    @Test func fleet_endsInOrder_ingestStopsAcceptingThenAllDrain() {
        var harness = FleetHarness.serving()
        harness.bring(.terminate(monotonic: 5))
        let sent = harness.actions.compactMap { action -> (FleetProcess.ID, Fleet.Order)? in
            if case .send(let id, let order) = action { (id, order) } else { nil }
        }
        let end = Fleet.Order.drainAll(deadline: 5 + ShutdownPlan.workersNanoseconds)
        let (first, second) = (harness.serving(0), harness.serving(1))
        #expect(sent.map(\.0) == [first, second, harness.exporter, first, second])
        #expect(sent.map(\.1) == [.accepting(false), .accepting(false), end, end, end])
        harness.exit(first)
        #expect(harness.launches.isEmpty, "nobody is started any more")
        harness.bring(.terminate(monotonic: 6))
        #expect(harness.orders(second) == [.stop])
        harness.bring(.tick(monotonic: 7 + ShutdownPlan.hastyNanoseconds))
        #expect(harness.signals(second) == [.kill] && harness.signals(harness.exporter) == [.kill])
        harness.killed(second)
        #expect(!harness.fleet.isFinished)
        harness.killed(harness.exporter)
        #expect(harness.fleet.isFinished)
    }
}
