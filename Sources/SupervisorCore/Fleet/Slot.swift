// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// The state that a slot is to reach, whatever happens on the way.
enum Goal: Equatable {
    /// A process of this edition serves.
    case serve(Edition)
    /// No process until somebody asks for one.
    case drained
    /// No process; the ring's content goes to `ingest-0`, then the slot goes.
    case removed

    var edition: Edition? { if case .serve(let edition) = self { edition } else { nil } }
}

/// The place of one worker: its goal, and its processes. The process in `serving` owns the slot's ring, whatever its
/// state; nobody else writes that.
struct Slot: Equatable {
    let worker: WorkerName
    var goal: Goal
    var serving: FleetProcess?
    /// About to take the place of `serving`.
    var standby: FleetProcess?
    /// An exporter with a successor; a standby process that is not needed any more.
    var retiring: [FleetProcess] = []
    /// No process is started before.
    var startAt: Instant
    var policy = RestartPolicy()
    var lastEnd: DeathCause?
    /// Of the last end that nobody had asked for.
    var lastFailure: DeathCause?
    /// Of the newest process.
    var generation: UInt64
    /// Of the process in `serving`, or the last one there.
    var servingGeneration: UInt64
    /// The next process begins with empty rings.
    var needsEmptyRing = false
    /// Records that the last process was reading when it died of a fault (``RecordName`` words of the exporter).
    var suspects: [UInt64] = []
    var ringResetAt: Instant?
    /// A process outside of the slot that still writes the ring, and since when that keeps the slot from starting.
    var ringHolder: RingHolder?
    /// The process that was asked to adopt the content of the ring of a slot that is to go.
    var adopter: FleetProcess.ID?

    struct RingHolder: Equatable {
        var pid: Int32
        var since: Instant
    }

    init(_ worker: WorkerName, goal: Goal, generation: UInt64, startAt: Instant) {
        (self.worker, self.goal, self.startAt) = (worker, goal, startAt)
        (self.generation, servingGeneration) = (generation, generation)
    }

    enum Place: Equatable {
        case serving, standby
        case retiring(Int)
    }

    subscript(place: Place) -> FleetProcess? {
        get {
            switch place {
            case .serving: serving
            case .standby: standby
            case .retiring(let index): retiring[index]
            }
        }
        set {
            switch (place, newValue) {
            case (.serving, _): serving = newValue
            case (.standby, _): standby = newValue
            case (.retiring(let index), let process?): retiring[index] = process
            case (.retiring(let index), nil): retiring.remove(at: index)
            }
        }
    }

    func place(of id: FleetProcess.ID) -> Place? {
        if serving?.id == id { return .serving }
        if standby?.id == id { return .standby }
        for index in retiring.indices where retiring[index].id == id { return .retiring(index) }
        return nil
    }

    var places: [Place] {
        var places = retiring.indices.map(Place.retiring)
        if standby != nil { places.insert(.standby, at: 0) }
        if serving != nil { places.insert(.serving, at: 0) }
        return places
    }

    var processes: [FleetProcess] { places.compactMap { self[$0] } }
    var hasProcess: Bool { serving != nil || standby != nil || !retiring.isEmpty }

    var isServing: Bool { serving?.isServing ?? false }

    /// A process of the goal's edition serves.
    var isCurrent: Bool { isServing && !needsEmptyRing && serving?.edition == goal.edition }

    /// The slot is on its way out: it counts in no list of workers any more.
    var isLeavingForGood: Bool { goal == .removed && serving.map(\.isServing) != true }

    /// A process of the old edition is in service, and the new one is not up yet.
    var needsStandby: Bool {
        guard let edition = goal.edition, let serving, serving.edition != edition else { return false }
        return serving.readyAt != nil && (serving.isServing || serving.isDraining) && standby?.state != .standby
    }
}
