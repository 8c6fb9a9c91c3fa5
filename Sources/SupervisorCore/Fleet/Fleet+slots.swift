// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// Slots take their next step.
extension Fleet {
    /// After every event, until nothing more is to be done.
    mutating func advance() {
        guard phase != .stopping else { return }
        for worker in workers { advance(worker) }
        if case .rollout = work {
            advanceRollout()
            for worker in workers { advance(worker) }
        }
    }

    private mutating func advance(_ worker: WorkerName) {
        guard exists(worker) else { return }
        reconcile(worker)
        guard exists(worker) else { return }
        if self[worker].serving == nil { fill(worker) }
    }

    /// Processes that the goal has no use for.
    private mutating func reconcile(_ worker: WorkerName) {
        if worker.role == .recorder { return reconcileRecorder() }
        let slot = self[worker]
        if let standby = slot.standby, standby.edition != slot.goal.edition { endStandby(worker) }
        guard let serving = slot.serving, let edition = slot.goal.edition, serving.edition != edition else {
            // Nobody's turn is waited for outside of a rollout.
            if slot.goal == .drained, slot.isServing, !isRollingOut(worker) { sendAway(worker) }
            return
        }
        switch serving.state {
        case .starting: retireUnready(worker, .serving)
        case .aborting: kill(worker, .serving)
        case .standby, .serving, .draining, .killing: break
        }
    }

    /// No turn is waited for: nothing else depends on it. Its successor starts when it has ended, since the database has one
    /// writer.
    private mutating func reconcileRecorder() {
        guard let slot = recorder else { return }
        if slot.goal == .removed, !slot.hasProcess {
            pastRecorderGeneration = slot.generation
            recorder = nil
            return
        }
        guard let serving = slot.serving, serving.edition != slot.goal.edition else { return }
        switch serving.state {
        case .serving: sendAway(slot.worker)
        case .starting, .aborting: kill(slot.worker, .serving)
        case .standby, .draining, .killing: break
        }
    }

    /// There is to be a recorder from now on, or none any more.
    mutating func setRecords(_ records: Bool) {
        let worker = WorkerName(.recorder)
        if records, recorder == nil {
            recorder = Slot(
                worker, goal: .serve(Edition(release: release)), generation: pastRecorderGeneration, startAt: now)
        } else if recorder != nil {
            setGoal(worker, records ? .serve(Edition(release: release)) : .removed)
        }
    }

    /// Nobody has the slot's ring.
    private mutating func fill(_ worker: WorkerName) {
        let slot = self[worker]
        switch slot.goal {
        case .serve: break
        // Only a worker of its own can empty a ring.
        case .drained: guard slot.needsEmptyRing else { return }
        case .removed: return
        }
        if worker.role == .ingest, let standby = slot.standby {
            if standby.state == .standby { return giveRing(worker) }
            // It has not come up yet: a process that needs no turn is started for it.
            endStandby(worker)
        }
        guard now >= slot.startAt else { return }
        start(worker, .serving)
    }

    /// The process that stands by is the ring's writer from now on.
    private mutating func giveRing(_ worker: WorkerName) {
        guard var next = self[worker].standby, self[worker].serving == nil else { return }
        // It has started already, and agents wait: less time than a start gets.
        next.state = .starting(until: now + Self.takeRingLimitNanoseconds)
        self[worker].standby = nil
        self[worker].serving = next
        self[worker].servingGeneration = next.generation
        self[worker].lastEnd = .requested
        enter(worker, next, .starting(after: .requested))
        enter(worker, next, .started(next.id))
        emit(.wake)
        emit(.send(next.id, .takeRing))
    }

    /// - Parameter place: `serving` or `standby`.
    mutating func start(_ worker: WorkerName, _ place: Slot.Place) {
        guard let generation = nextGeneration(worker) else { return }
        let edition = self[worker].goal.edition ?? Edition(release: release)
        let isStandby = place == .standby && worker.role == .ingest
        lastProcess += 1
        self[worker].generation = generation
        self[worker][place] = FleetProcess(
            id: lastProcess, generation: generation, edition: edition,
            state: .starting(until: now + Self.readyLimitNanoseconds), startedAt: now)
        if place == .serving { self[worker].servingGeneration = generation }
        emit(
            .start(
                Launch(
                    id: lastProcess, worker: worker, generation: generation,
                    isStandby: isStandby, isFresh: self[worker].needsEmptyRing && (place == .serving || isStandby),
                    suspects: place == .serving ? self[worker].suspects : [],
                    after: place == .serving ? self[worker].lastEnd : .requested)))
        if !isStandby { emit(.wake) }
    }

    /// Above every one that there has been. An exporter's parity must be that of nobody who still runs; `nil`: there are two
    /// already, of which the one that retires is ended now.
    private mutating func nextGeneration(_ worker: WorkerName) -> UInt64? {
        let highest = self[worker].generation
        guard worker.role == .exporter else { return highest + 1 }
        let running = exporter.processes
        for generation in [highest + 1, highest + 2]
        where !running.contains(where: { $0.generation % 2 == generation % 2 }) { return generation }
        if let oldest = exporter.retiring.indices.min(by: {
            exporter.retiring[$0].generation < exporter.retiring[$1].generation
        }), !exporter.retiring[oldest].isBeingKilled {
            log(.notice, "killing the oldest of three exporters", exporter.retiring[oldest].id)
            kill(exporter.worker, .retiring(oldest))
        }
        return nil
    }

    // MARK: Goals

    /// A slot without a process takes up its new goal at once, whatever has been.
    mutating func setGoal(_ worker: WorkerName, _ goal: Goal) {
        guard self[worker].goal != goal else { return }
        self[worker].goal = goal
        guard self[worker].serving == nil else { return }
        self[worker].startAt = now
        if goal == .drained { emit(.enter(worker, generation: self[worker].servingGeneration, .drained)) }
    }
}
