// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Glibc
import Testing
import WorkerLink

@testable import SupervisorCore

@Suite struct FleetReloadTests {
    private let drain = Fleet.Order.drain(within: Fleet.drainNanoseconds)

    /// The program that an exec has brought: everybody is of the one before.
    private func executed(ingest: Int = 2, wanted: Int? = nil) -> FleetHarness {
        var harness = FleetHarness.serving(ingest: ingest)
        harness.bring(.reload(9))
        harness.bring(.checked(failure: nil))
        harness.bring(.requestsAnswered)
        precondition(harness.actions == [.exec], "a reload that is approved becomes the next program")
        harness.fleet.resumeAfterExec(wanted: wanted ?? ingest, configured: ingest, request: 9)
        harness.tick()
        return harness
    }

    @Test func reload_checksProgramsThenRequestsThenExecs() {
        var harness = FleetHarness.serving()
        harness.bring(.requestsAnswered)
        #expect(harness.actions.isEmpty)
        harness.bring(.reload(9))
        #expect(harness.actions == [.checkPrograms(isAsIs: false)])
        harness.bring(.requestsAnswered)
        #expect(harness.actions.isEmpty, "nobody has approved it yet")
        harness.bring(.checked(failure: nil))
        #expect(harness.actions == [.pauseRequests])
        harness.bring(.requestsAnswered)
        #expect(harness.actions == [.exec])
        harness.bring(.execFailed("no such file"))
        #expect(
            harness.actions.contains(.countReload(failure: "no such file")) && harness.actions.contains(.resumeRequests)
        )
        #expect(harness.outcome?.request == 9 && harness.outcome?.failure == "no such file")
    }

    @Test func reload_thatFailsItsCheck_isCountedAndAnswered() {
        var harness = FleetHarness.serving()
        harness.bring(.reload(9))
        harness.tick(after: 15)
        #expect(harness.actions == [.stopCheck])
        harness.bring(.checked(failure: "killed"))
        #expect(harness.actions.contains(.countReload(failure: "killed")) && harness.outcome?.request == 9)
        harness.bring(.checked(failure: "killed"))
        #expect(harness.actions.isEmpty, "once")
        harness.bring(.reloadRefused("it is wrong", 10))
        #expect(harness.actions.contains(.countReload(failure: "it is wrong")))
        #expect(harness.answers == [.failed("it is wrong")])
    }

    @Test func reload_thatIsBusy_isNotCounted_andASighupIsRememberedOnce() {
        var harness = FleetHarness.serving()
        harness.bring(.reloadAsIs)
        #expect(harness.actions == [.checkPrograms(isAsIs: true)])
        for isFirst in [true, false] {
            harness.bring(.reloadAsIs)
            #expect(harness.log == (isFirst ? ["reload: postponed until reload is done"] : []))
        }
        harness.bring(.reload(9))
        #expect(!harness.actions.contains { if case .countReload = $0 { true } else { false } })
        harness.bring(.checked(failure: "it will not do"))
        harness.tick()
        #expect(harness.actions == [.checkPrograms(isAsIs: true)], "the one that was remembered")
        harness.bring(.checked(failure: "it will not do"))
        harness.tick()
        #expect(!harness.actions.contains(.checkPrograms(isAsIs: true)))
    }

    @Test func reload_startsAllNewWorkersBeforeAnyOldOneStops() {
        var harness = executed()
        let (first, second, exporter) = (harness.serving(0), harness.serving(1), harness.exporter)
        #expect(harness.launches.map(\.worker) == [harness.ingest(0)])
        harness.bring(.standsBy(harness.standby(0)))
        #expect(harness.launches.map(\.worker) == [harness.ingest(1)] && harness.orders(first).isEmpty)
        harness.bring(.standsBy(harness.standby(1)))
        #expect(harness.launches.map(\.worker) == [WorkerName(.exporter)] && harness.orders(first).isEmpty)
        harness.bring(.ready(harness.fleet.exporter.standby?.id ?? 0))
        #expect(harness.orders(exporter) == [.retire(within: Fleet.retireNanoseconds)])
        #expect(harness.orders(first) == [.accepting(false)] && harness.orders(second) == [.accepting(false)])
        for id in [first, second] { harness.bring(.stopsAccepting(id)) }
        #expect(harness.orders(first) == [drain] && harness.orders(second).isEmpty)
        harness.exit(first)
        harness.bring(.ready(harness.serving(0)))
        #expect(harness.orders(second) == [drain])
        harness.exit(second)
        harness.bring(.ready(harness.serving(1)))
        #expect(harness.outcome?.request == 9 && harness.outcome?.failure == nil)
        #expect(harness.actions.contains(.settleReload(failure: nil, keepsGRPC: true, keepsHTTP: true)))
        #expect(
            harness.fleet.slots.allSatisfy {
                $0.serving?.edition.release == 2 && $0.goal == .serve(Edition(release: 2))
            })
    }

    @Test func reload_thatFails_leavesTheOldReleaseServing() {
        var harness = executed()
        let before = harness.fleet.slots.map { $0.serving?.id }
        harness.bring(.standsBy(harness.standby(0)))
        let standby = harness.standby(0)
        harness.exit(harness.standby(1), code: 4)
        #expect(harness.outcome?.failure?.contains("ingest-1 did not become ready: exit code 4") == true)
        #expect(harness.actions.contains { if case .settleReload(_?, false, false) = $0 { true } else { false } })
        #expect(harness.signals(standby) == [.kill] && harness.launches.isEmpty)
        #expect(harness.fleet.slots.map { $0.serving?.id } == before && harness.fleet.slots.allSatisfy(\.isServing))
        #expect(harness.fleet.slots.allSatisfy { $0.goal == .serve(Edition(release: 1)) })
        // A process that dies now is started as it was.
        harness.killed(harness.serving(0))
        #expect(harness.fleet.ingest[0].serving?.edition == Edition(release: 1))
    }

    @Test func reload_thatFails_restoresWorkersThatWereStarting() {
        var harness = executed()
        harness.killed(harness.serving(1))
        let unready = harness.serving(1)
        #expect(harness.fleet.ingest[1].serving?.edition.release == 2)
        harness.exit(harness.standby(0), code: 4)
        #expect(harness.orders(unready) == [.drain(within: Fleet.unreadyLimitNanoseconds)])
        harness.exit(unready)
        #expect(harness.launches.count == 1 && harness.fleet.ingest[1].serving?.edition.release == 1)
    }

    @Test func reload_leavesADrainedWorkerAlone() {
        var harness = FleetHarness.serving()
        harness.bring(.drain(harness.ingest(1), nil))
        harness.exit(harness.serving(1))
        harness.fleet.resumeAfterExec(wanted: 2, configured: 2, request: nil)
        harness.tick()
        harness.bring(.standsBy(harness.standby(0)))
        harness.bring(.ready(harness.fleet.exporter.standby?.id ?? 0))
        harness.exit(harness.serving(0))
        harness.bring(.ready(harness.serving(0)))
        #expect(harness.outcome?.failure == nil && harness.fleet.ingest[1].serving == nil)
        #expect(harness.fleet.ingest[1].goal == .drained)
    }

    @Test func reload_scalesAsTheSettingsSay() {
        var harness = executed(ingest: 2, wanted: 1)
        let last = harness.serving(1)
        harness.bring(.standsBy(harness.standby(0)))
        #expect(harness.launches.map(\.worker) == [WorkerName(.exporter)], "nobody stands by for a slot that goes")
        harness.bring(.ready(harness.fleet.exporter.standby?.id ?? 0))
        for id in [harness.serving(0), last] { harness.bring(.stopsAccepting(id)) }
        #expect(harness.orders(last) == [drain])
        harness.exit(last)
        harness.bring(.adopted(ring: 1, by: harness.serving(0)))
        #expect(harness.fleet.ingest.count == 1 && harness.orders(harness.serving(0)) == [drain])
    }

    // MARK: The next supervisor

    private func recoded(_ fleet: Fleet) throws -> Fleet {
        var record = BinaryWriter()
        fleet.write(to: &record)
        var reader = BinaryReader(record.bytes.span.bytes)
        let read = try Fleet(from: &reader)
        try reader.expectEnd()
        return read
    }

    @Test func supervisorRestart_keepsItsState_andNoProcess() throws {
        var harness = FleetHarness.serving(ingest: 3)
        harness.bring(.drain(harness.ingest(2), nil))
        harness.exit(harness.serving(2))
        for _ in 0..<3 {
            harness.tick(after: 2)
            harness.killed(harness.serving(1), by: SIGSEGV, CrashEvidence(identities: [5], onLoop: 5))
        }
        let generation = harness.fleet.ingest[1].generation
        harness.fleet = try recoded(harness.fleet)
        harness.fleet.resumeAfterRestart(rings: 3, wanted: 3, configured: 3, now: harness.now)
        #expect(harness.fleet.slots.allSatisfy { !$0.hasProcess })
        #expect(
            harness.fleet.ingest[1].policy.deathsInRow == 3 && harness.fleet.attribution.quarantined.keys.contains(5))
        #expect(harness.fleet.ingest[2].goal == .drained)
        harness.tick()
        #expect(harness.launches.map(\.worker) == [harness.ingest(0), harness.ingest(1), WorkerName(.exporter)])
        #expect(harness.launches[1].generation == generation + 1)
        for index in 0..<2 { harness.bring(.ready(harness.serving(index))) }
        harness.bring(.ready(harness.exporter))
        #expect(harness.fleet.phase == .serving, "a drained worker is not waited for")
    }

    /// Ten deaths of workers that had served for a while are no reason to wait after the next one.
    @Test func supervisorRestart_keepsTheCountOfQuickDeaths() throws {
        var harness = FleetHarness.serving()
        for _ in 0..<10 {
            harness.tick(after: 11)
            harness.killed(harness.exporter)
            harness.bring(.ready(harness.exporter))
        }
        harness.fleet = try recoded(harness.fleet)
        harness.fleet.resumeAfterRestart(rings: 2, wanted: 2, configured: 2, now: harness.now)
        harness.tick()
        harness.bring(.ready(harness.exporter))
        harness.tick(after: 1)
        harness.killed(harness.exporter)
        #expect(harness.fleet.exporter.policy.deathsInRow == 11)
        #expect(harness.fleet.exporter.startAt == harness.now + RestartPolicy.firstDelayNanoseconds)
    }

    @Test func stop_forgetsDeaths() {
        var harness = FleetHarness.serving()
        for _ in 0..<4 {
            harness.tick(after: 6)
            harness.killed(harness.exporter, by: SIGABRT)
            harness.bring(.ready(harness.exporter))
        }
        harness.bring(.terminate(monotonic: harness.now))
        #expect(harness.fleet.slots.allSatisfy { $0.policy == RestartPolicy() })
        #expect(harness.fleet.attribution == CrashAttribution())
    }

    // MARK: Processes whose word that they are ready is on its way

    @Test func reload_keepsAStartingExporterUntilItHasAnswered() {
        var harness = FleetHarness.serving()
        harness.killed(harness.exporter)
        let unready = harness.exporter
        harness.bring(.restart(WorkerName(.exporter), nil))
        #expect(harness.orders(unready) == [.retire(within: Fleet.unreadyLimitNanoseconds)])
        #expect(harness.signals(unready).isEmpty)
        harness.bring(.ready(unready))
        harness.exit(unready)
        #expect(harness.launches.map(\.worker) == [WorkerName(.exporter)], "its end was wanted")
        #expect(harness.fleet.exporter.startAt == harness.now)
    }

    @Test func reload_thatFails_keepsTheNewExporterUntilItHasAnswered() throws {
        var harness = executed()
        for index in 0..<2 { harness.bring(.standsBy(harness.standby(index))) }
        let next = try #require(harness.fleet.exporter.standby).id
        harness.killed(harness.standby(0))
        #expect(harness.outcome?.failure != nil && harness.fleet.exporter.standby == nil)
        #expect(harness.orders(next) == [.retire(within: Fleet.unreadyLimitNanoseconds)])
        #expect(harness.signals(next).isEmpty)
        harness.tick(after: 2)
        #expect(harness.signals(next) == [.kill], "within its time or not at all")
    }

    @Test func exec_keepsProcesses() throws {
        var harness = FleetHarness.serving()
        harness.bring(.restart(WorkerName(.exporter), nil))
        harness.bring(.ready(harness.fleet.exporter.standby?.id ?? 0))
        harness.bring(.stalled(harness.serving(1), .notReading(ring: 0)))
        let read = try recoded(harness.fleet)
        #expect(read.slots == harness.fleet.slots)
        #expect(read.lastProcess == harness.fleet.lastProcess && read.wanted == 2)
    }

    private func decoded(_ bytes: [UInt8]) throws -> Fleet {
        var reader = BinaryReader(bytes.span.bytes)
        return try Fleet(from: &reader)
    }

    @Test func inheritanceRecord_rejectsImpossibleValues() throws {
        var record = BinaryWriter()
        FleetHarness.serving().fleet.write(to: &record)
        let bytes = record.bytes
        for count in stride(from: 0, to: bytes.count, by: 7) {
            let part = Array(bytes.prefix(count))
            #expect(throws: BinaryError.self) { try decoded(part) }
        }
        // With any content, nothing traps.
        var numbers = SeededNumbers(seed: 5)
        for _ in 0..<2_000 {
            var broken = bytes
            for _ in 0..<3 { broken[numbers.below(broken.count)] = UInt8(truncatingIfNeeded: numbers.next()) }
            guard var fleet = try? decoded(broken) else { continue }
            fleet.resumeAfterRestart(rings: 2, wanted: 2, configured: 2, now: fleet.now)
            _ = fleet.handle(.tick(monotonic: 0), at: fleet.now)
        }
    }
}
