// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing
import WorkerLink

@testable import SupervisorCore

/// A fleet whose events a test brings one by one, and what it wanted.
struct FleetHarness {
    static let second: UInt64 = 1_000_000_000

    var fleet: Fleet
    var now: Instant = 100 * second
    /// Of the last event.
    var actions: [Fleet.Action] = []

    init(ingest: Int = 2, isInherited: Bool = false, records: Bool = false) {
        fleet = Fleet(
            rings: ingest, wanted: ingest, configured: ingest, isInherited: isInherited, records: records, now: now)
    }

    /// Everybody serves.
    static func serving(ingest: Int = 2, records: Bool = false) -> FleetHarness {
        var harness = FleetHarness(ingest: ingest, records: records)
        harness.tick()
        for slot in harness.fleet.slots { harness.bring(.ready(slot.serving?.id ?? 0)) }
        precondition(harness.fleet.phase == .serving, "a fleet in which everybody is ready serves")
        return harness
    }

    @discardableResult
    mutating func bring(_ event: Fleet.Event) -> [Fleet.Action] {
        actions = fleet.handle(event, at: now)
        return actions
    }

    @discardableResult
    mutating func tick(after seconds: Double = 0) -> [Fleet.Action] {
        now += UInt64(seconds * Double(Self.second))
        return bring(.tick(monotonic: now))
    }

    @discardableResult
    mutating func exit(_ id: FleetProcess.ID, code: Int32 = 0, _ evidence: CrashEvidence = CrashEvidence()) -> [Fleet
        .Action]
    {
        bring(.exited(id, .exited(code: code), evidence))
    }

    @discardableResult
    mutating func killed(_ id: FleetProcess.ID, by signal: Int32 = 9, _ evidence: CrashEvidence = CrashEvidence())
        -> [Fleet
        .Action]
    {
        bring(.exited(id, .killed(signal: signal, hasDumpedCore: false), evidence))
    }

    func ingest(_ index: Int) -> WorkerName { WorkerName(.ingest, index) }

    /// The process in service; 0 if the slot is empty.
    func serving(_ index: Int) -> FleetProcess.ID { fleet.ingest[index].serving?.id ?? 0 }
    func standby(_ index: Int) -> FleetProcess.ID { fleet.ingest[index].standby?.id ?? 0 }
    var recorder: FleetProcess.ID { fleet.recorder?.serving?.id ?? 0 }
    var exporter: FleetProcess.ID { fleet.exporter.serving?.id ?? 0 }

    var launches: [Fleet.Launch] {
        actions.compactMap { if case .start(let launch) = $0 { launch } else { nil } }
    }

    var answers: [Fleet.Answer] {
        actions.compactMap { if case .reply(_, let answer) = $0 { answer } else { nil } }
    }

    /// Of the rollout that has ended: the requester, and why it failed.
    var outcome: (request: RequestID?, failure: String?)? {
        for case .finished(_, let failure, let request) in actions { return (request, failure) }
        return nil
    }

    func orders(_ id: FleetProcess.ID) -> [Fleet.Order] {
        actions.compactMap { if case .send(id, let order) = $0 { order } else { nil } }
    }

    func signals(_ id: FleetProcess.ID) -> [Fleet.Signal] {
        actions.compactMap { if case .signal(id, let signal) = $0 { signal } else { nil } }
    }

    var log: [String] { actions.compactMap { if case .log(let notice) = $0 { notice.text } else { nil } } }
    var wakes: Bool { actions.contains(.wake) }
}
