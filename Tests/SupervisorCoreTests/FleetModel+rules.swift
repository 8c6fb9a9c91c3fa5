// SPDX-License-Identifier: Apache-2.0
import WorkerLink

@testable import SupervisorCore

/// The effects of actions on the world, and the rules that hold.
extension FleetModel {
    /// - Returns: `false` after an exec: the program that wanted the rest is no more.
    mutating func perform(_ action: Fleet.Action, _ before: Fleet) throws -> Bool {
        switch action {
        case .start(let launch): try start(launch)
        case .send(let id, let order): try send(id, order)
        case .signal(let id, let signal): try self.signal(id, signal, before)
        case .addRing:
            if !isCalm, numbers.happens(oneIn: 5) {
                queue.append(.ringFailed("no memory"))
            } else {
                rings += 1
                queue.append(.ringAdded)
            }
        case .dropRing(let index):
            guard index == rings - 1, !alive.values.contains(where: { $0.worker == WorkerName(.ingest, index) }) else {
                throw broken("the last ring goes, when nobody has it")
            }
            rings -= 1
        case .adoptRing(let index, let id):
            guard alive[id]?.worker == WorkerName(.ingest, 0), index == rings - 1, owner(of: index) == nil else {
                throw broken("a ring without a writer is adopted by the first worker")
            }
            alive[id]?.ringToAdopt = index
        case .checkPrograms: isChecking = true
        case .stopCheck: if isChecking { try stopCheck() }
        case .exec:
            guard case .approved(let request, _) = before.work else { throw broken("an exec is approved") }
            if !isCalm, numbers.happens(oneIn: 3) {
                queue.append(.execFailed("no such file"))
            } else {
                try exec(request)
                return false
            }
        case .finished(let kind, let failure, let request):
            saw("\(kind.name.prefix(6)) \(failure == nil ? "done" : "failed")")
            if failure != nil {
                try checkTakenBack(before)
                guard fleet.wanted == fleet.ingest.count else {
                    throw broken("after a failed rollout there are as many workers as are wanted")
                }
            } else if case .scale(let count) = kind, fleet.ingest.count != count {
                throw broken("a scaling ends with as many workers as were wanted")
            }
            try answer(request)
        case .reply(let request, _): try answer(request)
        case .killRingHolder, .watch, .wake, .enter, .publishWanted, .quarantine, .countRingReset, .pauseRequests,
            .resumeRequests, .settleReload, .countReload, .serviceReady, .serviceStopping, .log:
            break
        }
        return true
    }

    private mutating func stopCheck() throws {
        isChecking = false
        queue.append(.checked(failure: "killed"))
    }

    private mutating func answer(_ request: RequestID?) throws {
        guard let request else { return }
        guard owed.remove(request) != nil else { throw broken("a request is answered once: \(request)") }
    }

    private mutating func start(_ launch: Fleet.Launch) throws {
        let isOwner = launch.worker.role == .ingest && !launch.isStandby
        if isOwner, let other = owner(of: launch.worker.index) {
            throw broken("a ring has one writer: \(launch.worker) is started beside \(other)")
        }
        if launch.worker.role == .exporter,
            alive.values.contains(where: {
                $0.worker == launch.worker && $0.generation % 2 == launch.generation % 2
            })
        {
            throw broken("two exporters have one parity")
        }
        if !isCalm, numbers.happens(oneIn: 12) {
            saw("failed spawn")
            return queue.append(.startFailed(launch.id))
        }
        if !isCalm, isOwner, numbers.happens(oneIn: 25) {
            return queue.append(.ringHeld(launch.id, by: 77, isFormerChild: numbers.happens(oneIn: 2)))
        }
        alive[launch.id] = RealProcess(
            worker: launch.worker, generation: launch.generation, isStandby: launch.isStandby, ownsRing: isOwner)
    }

    private func owner(of ring: Int) -> FleetProcess.ID? {
        alive.first { $0.value.worker == WorkerName(.ingest, ring) && $0.value.ownsRing }?.key
    }

    /// The executor knows no process whose start has failed, or waits for its ring.
    private func hasFailedToStart(_ id: FleetProcess.ID) -> Bool {
        queue.contains {
            switch $0 {
            case .startFailed(id), .ringHeld(id, by: _, isFormerChild: _): true
            default: false
            }
        }
    }

    private mutating func send(_ id: FleetProcess.ID, _ order: Fleet.Order) throws {
        guard !hasFailedToStart(id) else { return }
        guard let process = alive[id] else { throw broken("only who is there is told something") }
        switch order {
        case .drain(let within):
            if within == Fleet.drainNanoseconds { try checkLeave(id, process) }
            alive[id]?.isToEnd = true
        case .drainAll, .stop: alive[id]?.isToEnd = true
        case .retire(let within):
            let isUnready = fleet.process(id)?.readyAt == nil && within == Fleet.unreadyLimitNanoseconds
            guard isUnready || fleet.exporter.serving.map({ $0.readyAt != nil && $0.id != id }) == true else {
                throw broken("the old exporter retires when the new one serves")
            }
            alive[id]?.isToEnd = true
        case .accepting(let isAccepting): alive[id]?.owesHold = !isAccepting
        case .takeRing:
            guard process.isStandby, process.hasStoodBy, owner(of: process.worker.index) == nil else {
                throw broken("a ring has one writer: \(id) takes that of \(process.worker)")
            }
            alive[id]?.ownsRing = true
        }
    }

    /// An ingest worker is told to send its agents away.
    private func checkLeave(_ id: FleetProcess.ID, _ process: RealProcess) throws {
        guard case .rollout(let rollout) = fleet.work, fleet.isRollingOut(process.worker) else { return }
        if let waiting = fleet.ingest.first(where: { fleet.isRollingOut($0.worker) && $0.needsStandby }) {
            throw broken("all standby processes are up before one leaves: not that of \(waiting.worker)")
        }
        if case .waiting = rollout.acceptStop { throw broken("who leaves stops accepting before one drains") }
        // A process that has not been ready has no agents to send away.
        let others = fleet.ingest.filter {
            $0.serving?.isDraining == true && $0.serving?.readyAt != nil && $0.serving?.id != id && !$0.needsEmptyRing
                && fleet.isRollingOut($0.worker)
        }
        guard others.isEmpty else { throw broken("one slot at a time leaves service") }
    }

    private mutating func signal(_ id: FleetProcess.ID, _ signal: Fleet.Signal, _ before: Fleet) throws {
        guard !hasFailedToStart(id) else { return }
        guard let process = alive[id] else { throw broken("only who is there is killed") }
        let isInService = before.process(id)?.isServing == true
        if isInService, !process.isStalled, fleet.phase != .stopping {
            throw broken("who serves well is not killed: \(process.worker)")
        }
        switch signal {
        case .kill: alive[id]?.isToEnd = true
        case .abort: if numbers.happens(oneIn: 2) { alive[id]?.isToEnd = true }
        }
    }

    /// The release before is that which counts, and serves where it has served.
    private func checkTakenBack(_ before: Fleet) throws {
        guard case .rollout(let rollout) = before.work else { return }
        guard fleet.release == rollout.release else { throw broken("a failed rollout leaves the old release") }
        for slot in fleet.slots {
            if let edition = slot.goal.edition, edition.release > rollout.release {
                throw broken("a failed rollout leaves no goal of its own: \(slot.worker)")
            }
            guard fleet.phase != .stopping, before.workers.contains(slot.worker) else { continue }
            let old = before[slot.worker].serving
            if let old, old.isServing, alive[old.id] != nil, slot.serving != old,
                slot.serving?.readyAt == nil
            {
                throw broken("a failed rollout takes nobody out of service: \(slot.worker)")
            }
        }
    }

    // MARK: Rules that hold always

    func checkRules() throws {
        for slot in fleet.slots {
            for place in slot.places {
                guard let process = slot[place] else { continue }
                guard let real = alive[process.id] else {
                    // It was to be started, and the event that says that it was not is on its way.
                    if queue.isEmpty { throw broken("\(slot.worker) has a process that is gone: \(process.id)") }
                    continue
                }
                guard real.worker == slot.worker, real.generation == process.generation else {
                    throw broken("a process is in its own slot")
                }
                if real.ownsRing, slot.worker.role == .ingest, place != .serving {
                    throw broken("who writes the ring of \(slot.worker) is the one in service")
                }
            }
            if let serving = slot.serving, case .standby = serving.state { throw broken("who has the ring stands by") }
        }
        let known = fleet.slots.reduce(0) { $0 + $1.processes.count }
        if queue.isEmpty, known != alive.count { throw broken("every process is known") }
        if fleet.work == .idle, queue.isEmpty, !owed.isEmpty {
            throw broken("nothing is under way, and an answer is owed")
        }
        if queue.isEmpty, fleet.ingest.count != rings { throw broken("there is a slot for each ring") }
    }

    // MARK: Rest

    /// Nothing bad happens any more: everybody gets where they are to be.
    mutating func settle() throws {
        isCalm = true
        defer { isCalm = false }
        for _ in 0..<600 {
            now += 250_000_000
            if isChecking { try endCheck() }
            try bring(.tick(monotonic: now))
            for id in alive.keys.sorted() {
                guard let process = alive[id] else { continue }
                if process.isStalled, !process.isToEnd {
                    try bring(.stalled(id, .noHeartbeat))
                } else {
                    try dispatch(id, process)
                }
            }
            if fleet.isFinished || isSettled { return }
        }
        throw broken("the fleet comes to rest: \(fleet)")
    }

    private var isSettled: Bool {
        guard fleet.phase == .serving, fleet.work == .idle, !fleet.hasPendingReload, owed.isEmpty else { return false }
        return fleet.slots.allSatisfy { slot in
            guard slot.standby == nil, slot.retiring.isEmpty else { return false }
            return switch slot.goal {
            case .serve: slot.isServing && !slot.needsEmptyRing
            case .drained: slot.serving == nil
            case .removed: false
            }
        }
    }
}
