// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// From the goals before to the requested ones. The next step follows from goals and states; a failure
/// wrong ends the rollout, never the service: who serves goes on serving.
extension Fleet {
    /// Taking over a full ring takes a second. A process that never serves is given up before this ends, with the better
    /// reason.
    static let stepNanoseconds: UInt64 = 25_000_000_000
    /// In which a worker confirms that it takes no more connections. One of a program before 0.2.0 cannot.
    static let acceptStopNanoseconds: UInt64 = 500_000_000

    /// To be called before goals are changed.
    mutating func begin(_ kind: Rollout.Kind, _ request: RequestID?) {
        work = .rollout(
            Rollout(
                kind: kind, request: request, exporterGoal: exporter.goal, ingestGoals: ingest.map(\.goal),
                recorderGoal: recorder?.goal, release: release))
        if kind != .reload { log(.notice, "\(kind.name): begins") }
        if case .scale(let count) = kind { removeSlots(from: count) }
    }

    mutating func removeSlots(from count: Int) {
        for slot in ingest.dropFirst(count) { setGoal(slot.worker, .removed) }
    }

    /// The slot's goal is another since the rollout began.
    func isRollingOut(_ worker: WorkerName) -> Bool {
        guard case .rollout(let rollout) = work else { return false }
        return self[worker].goal != goal(of: worker, before: rollout)
    }

    private func goal(of worker: WorkerName, before rollout: Rollout) -> Goal? {
        if worker.role == .exporter { return rollout.exporterGoal }
        if worker.role == .recorder { return rollout.recorderGoal }
        return rollout.ingestGoals.indices.contains(worker.index) ? rollout.ingestGoals[worker.index] : nil
    }

    /// The next step, in order: every new process comes up, then the exporter changes, then slots leave one by one.
    /// `nil`: all goals are reached.
    var nextStep: Rollout.Step? {
        for slot in ingest where isRollingOut(slot.worker) && slot.needsStandby { return .prepare(slot.worker) }
        if isRollingOut(exporter.worker), !exporter.isCurrent { return .replace(exporter.worker) }
        if let last = ingest.last, last.goal == .removed { return .remove(last.worker) }
        for slot in ingest where isRollingOut(slot.worker) {
            if slot.goal == .drained, slot.serving != nil { return .drain(slot.worker) }
            if slot.goal.edition != nil, !slot.isCurrent { return .replace(slot.worker) }
        }
        // A reload does not wait for it; somebody who asks for it does.
        if case .rollout(let rollout) = work, case .restart(let worker) = rollout.kind, worker.role == .recorder,
            recorder?.isCurrent == false
        {
            return .replace(worker)
        }
        return ingest.count < wanted && isScaling ? .add(ingest.count) : nil
    }

    private var isScaling: Bool {
        guard case .rollout(let rollout) = work else { return false }
        switch rollout.kind {
        case .scale, .reload: return true
        case .restart, .drain: return false
        }
    }

    mutating func advanceRollout() {
        guard case .rollout(var rollout) = work else { return }
        guard let step = nextStep else { return finishRollout(failure: nil) }
        if step != rollout.step {
            rollout.step = step
            rollout.deadline = now + Self.stepNanoseconds
            work = .rollout(rollout)
        }
        guard !step.sendsAgentsAway || areLeaversHeld() else { return }
        switch step {
        case .prepare(let worker): if self[worker].standby == nil { start(worker, .standby) }
        case .replace(let worker): replace(worker)
        case .remove(let worker): remove(worker)
        case .drain(let worker): leave(worker)
        case .add: addRing()
        }
    }

    private mutating func replace(_ worker: WorkerName) {
        guard self[worker].isServing, self[worker].serving?.edition != self[worker].goal.edition else { return }
        switch worker.role {
        case .exporter: if exporter.standby == nil { start(worker, .standby) }
        case .ingest: leave(worker)
        case .recorder: break  // it needs no turn: `reconcileRecorder`
        }
    }

    /// One slot at a time leaves service.
    private mutating func leave(_ worker: WorkerName) {
        guard let serving = self[worker].serving, serving.isServing || serving.isStarting,
            // A process that is to empty the ring does so before it is ready.
            serving.isServing || !self[worker].needsEmptyRing,
            !ingest.contains(where: { $0.worker != worker && $0.serving?.isDraining == true })
        else { return }
        sendAway(worker, isReplaced: self[worker].standby != nil)
    }

    // MARK: Slots come and go

    private mutating func addRing() {
        guard case .rollout(var rollout) = work, !rollout.isAddingRing else { return }
        rollout.isAddingRing = true
        work = .rollout(rollout)
        emit(.addRing)
    }

    mutating func addSlot() {
        // The ring is there: so is the slot, whatever has become of the rollout.
        let worker = WorkerName(.ingest, ingest.count)
        ingest.append(
            Slot(
                worker, goal: .serve(Edition(release: release)), generation: lastGeneration(worker), startAt: now))
        guard case .rollout(var rollout) = work else { return }
        rollout.isAddingRing = false
        work = .rollout(rollout)
    }

    mutating func failToAddRing(_ reason: String) {
        guard case .rollout = work else { return }
        finishRollout(failure: "cannot create the rings of one more worker: \(reason)")
    }

    private mutating func remove(_ worker: WorkerName) {
        // The content of its ring goes to the first worker, which therefore has to be there.
        if ingest[0].goal == .drained { setGoal(ingest[0].worker, .serve(Edition(release: release))) }
        guard !self[worker].hasProcess else { return leave(worker) }
        guard let first = ingest[0].serving, first.isServing, self[worker].adopter != first.id else { return }
        self[worker].adopter = first.id
        emit(.adoptRing(worker.index, by: first.id))
    }

    mutating func adopted(_ ring: Int, by id: FleetProcess.ID) {
        guard ring > 0, ring == ingest.count - 1, ingest[ring].goal == .removed, !ingest[ring].hasProcess,
            ingest[ring].adopter == id
        else { return }
        dropRing()
    }

    private mutating func dropRing() {
        pastGenerations[ingest.count - 1] = ingest[ingest.count - 1].generation
        ingest.removeLast()
        emit(.dropRing(ingest.count))
    }

    // MARK: Who leaves takes no more connections

    private mutating func areLeaversHeld() -> Bool {
        guard case .rollout(var rollout) = work else { return true }
        switch rollout.acceptStop {
        case .done: return true
        case .waiting: return false
        case .notYet: break
        }
        let leavers = ingest.filter { isRollingOut($0.worker) && $0.isServing && !$0.isCurrent }
        // One alone stops accepting when it drains.
        rollout.acceptStop =
            leavers.count > 1
            ? .waiting(leavers.compactMap { $0.serving?.id }, until: now + Self.acceptStopNanoseconds) : .done
        work = .rollout(rollout)
        guard leavers.count > 1 else { return true }
        for slot in leavers {
            self[slot.worker].serving?.isAccepting = false
            if let id = slot.serving?.id { emit(.send(id, .accepting(false))) }
        }
        return false
    }

    /// The process takes no more connections, or is gone.
    mutating func confirmAcceptStop(_ id: FleetProcess.ID) {
        guard case .rollout(var rollout) = work, case .waiting(let ids, let until) = rollout.acceptStop else { return }
        let rest = ids.filter { $0 != id }
        rollout.acceptStop = rest.isEmpty ? .done : .waiting(rest, until: until)
        work = .rollout(rollout)
    }

    // MARK: The end

    mutating func tickRollout(_ rollout: Rollout) {
        if case .waiting(_, let until) = rollout.acceptStop, now >= until {
            var rollout = rollout
            rollout.acceptStop = .done
            work = .rollout(rollout)
        }
        guard now >= rollout.deadline, let step = rollout.step else { return }
        if case .remove(let worker) = step, !self[worker].hasProcess, ingest.count > 1 {
            log(
                .error, "a removed worker's ring was not adopted in time: its last-known values are lost",
                fields: ["worker": "\(worker)"])
            return dropRing()
        }
        finishRollout(
            failure: "\(text(of: step)) was not ready within \(Self.stepNanoseconds / 1_000_000_000) s")
    }

    private func text(of step: Rollout.Step) -> String {
        switch step {
        case .prepare(let worker), .replace(let worker), .drain(let worker): text(of: worker)
        case .remove: "the last ingest worker"
        case .add: "a new ingest worker"
        }
    }

    private func text(of worker: WorkerName) -> String {
        guard case .rollout(let rollout) = work, goal(of: worker, before: rollout) == nil else { return "\(worker)" }
        return "a new ingest worker"
    }

    /// A process has ended before it has served.
    mutating func failRollout(over worker: WorkerName, _ process: FleetProcess, _ cause: DeathCause) {
        guard isRollingOut(worker), process.edition == self[worker].goal.edition else { return }
        finishRollout(
            failure: "\(text(of: worker)) did not become ready: \(cause.text); its own log lines say why")
    }

    mutating func finishRollout(failure: String?) {
        guard case .rollout(let rollout) = work else { return }
        if failure != nil {
            restoreGoals(of: rollout)
            // There are to be as many as there are: also those that a failed scaling has added.
            wanted = ingest.count
            emit(.publishWanted)
        }
        if rollout.kind == .reload { settleReload(rollout, failure) }
        work = .idle
        for slot in ingest {
            emit(.enter(slot.worker, generation: slot.servingGeneration, .replacementEnded))
            guard let serving = slot.serving, !serving.isAccepting else { continue }
            self[slot.worker].serving?.isAccepting = true
            emit(.send(serving.id, .accepting(true)))
        }
        emit(.resumeRequests)
        emit(.finished(rollout.kind, failure: failure, rollout.request))
    }

    private mutating func restoreGoals(of rollout: Rollout) {
        release = rollout.release
        setGoal(exporter.worker, rollout.exporterGoal)
        setRecords(rollout.recorderGoal?.edition != nil)
        if let recorder, let goal = rollout.recorderGoal { setGoal(recorder.worker, goal) }
        for slot in ingest {
            setGoal(
                slot.worker, goal(of: slot.worker, before: rollout) ?? .serve(Edition(release: rollout.release)))
        }
    }

    /// A worker that has been replaced already serves with the new settings, and goes on listening where it listens.
    private mutating func settleReload(_ rollout: Rollout, _ failure: String?) {
        func isNew(_ slot: Slot) -> Bool { slot.isServing && slot.serving?.edition.release == lastRelease }
        emit(
            .settleReload(
                failure: failure, keepsGRPC: ingest.contains(where: isNew), keepsHTTP: isNew(exporter)))
    }
}
