// SPDX-License-Identifier: Apache-2.0
import Platform
import WorkerLink

/// Messages and exits of processes.
extension Fleet {
    // MARK: Coming up

    /// An ingest process could serve, and waits for the ring.
    mutating func standsBy(_ id: FleetProcess.ID) {
        guard let (worker, place) = find(id), worker.role == .ingest, place == .standby,
            self[worker].standby?.isStarting == true
        else { return }
        self[worker].standby?.state = .standby
    }

    mutating func becomeReady(_ id: FleetProcess.ID) {
        guard let (worker, place) = find(id), self[worker][place]?.isStarting == true else { return }
        switch place {
        case .serving: break
        // An ingest process that stands by has no ring to serve with.
        case .standby where worker.role == .exporter: takeOver()
        case .standby, .retiring: return
        }
        let readyAt = now
        self[worker].serving?.state = .serving
        self[worker].serving?.readyAt = readyAt
        self[worker].needsEmptyRing = false
        (self[worker].adopter, self[worker].ringHolder) = (nil, nil)
        emit(.watch(id))
        enter(worker, id, .serving)
        emit(.wake)
        log(.info, "\(worker) is ready", id)
        serveIfReady()
    }

    /// The new exporter serves: the old one answers what is open and ends.
    private mutating func takeOver() {
        if var old = exporter.serving {
            switch old.state {
            case .starting, .standby, .serving, .draining:
                old.state = .draining(until: now + Self.retireNanoseconds + Self.killAfterNanoseconds)
                enter(exporter.worker, old.id, .draining(isReplaced: false))
                emit(.send(old.id, .retire(within: Self.retireNanoseconds)))
            case .aborting, .killing: break
            }
            exporter.retiring.append(old)
        }
        exporter.serving = exporter.standby
        exporter.standby = nil
        exporter.servingGeneration = exporter.serving?.generation ?? exporter.servingGeneration
        exporter.lastEnd = .requested
    }

    /// The service is ready when every worker is.
    mutating func serveIfReady() {
        guard phase == .starting else { return }
        let isEnough =
            isInherited && now >= startedAt + Self.startTimeoutNanoseconds && exporter.isServing
            && ingest.contains(where: \.isServing)
        guard isEnough || servingSlots.allSatisfy({ $0.isServing || $0.goal == .drained }) else { return }
        phase = .serving
        emit(.serviceReady)
        // A predecessor may have left more rings than there are to be workers.
        if ingest.count > wanted { begin(.scale(wanted), nil) }
    }

    // MARK: Ending

    mutating func stall(_ id: FleetProcess.ID, _ hang: Stall) {
        guard let (worker, place) = find(id), let process = self[worker][place], process.readyAt != nil,
            process.isServing || process.isDraining
        else { return }
        abort(worker, place, .hung(hang))
    }

    private mutating func abort(_ worker: WorkerName, _ place: Slot.Place, _ cause: DeathCause) {
        guard let id = self[worker][place]?.id else { return }
        let deadline = now + Self.abortLimitNanoseconds
        self[worker][place]?.state = .aborting(cause, until: deadline)
        log(.error, "\(worker) \(cause.text): killing it", id)
        emit(.signal(id, .abort))
    }

    mutating func kill(_ worker: WorkerName, _ place: Slot.Place, _ cause: DeathCause = .requested) {
        guard let id = self[worker][place]?.id else { return }
        self[worker][place]?.state = .killing(cause)
        emit(.signal(id, .kill))
    }

    /// A standby process that is not needed any more: it is killed, and takes no place until it has exited.
    mutating func endStandby(_ worker: WorkerName) {
        guard let standby = self[worker].standby else { return }
        self[worker].standby = nil
        self[worker].retiring.append(standby)
        let place = Slot.Place.retiring(self[worker].retiring.count - 1)
        // An ingest process that stands by does not listen.
        if worker.role == .exporter { retireUnready(worker, place) } else { kill(worker, place) }
    }

    /// A process takes connections before its word that it is ready arrives here: it answers those before it ends.
    mutating func retireUnready(_ worker: WorkerName, _ place: Slot.Place) {
        guard let process = self[worker][place], process.isStarting else { return }
        let within = Self.unreadyLimitNanoseconds
        let deadline = now + within + Self.killAfterNanoseconds
        self[worker][place]?.state = .draining(until: deadline)
        emit(.send(process.id, worker.role == .exporter ? .retire(within: within) : .drain(within: within)))
    }

    /// The agents of an ingest worker go to the others, or, where a successor stands by, wait a moment for that.
    mutating func sendAway(_ worker: WorkerName, within: UInt64 = Fleet.drainNanoseconds, isReplaced: Bool = false) {
        guard let id = self[worker].serving?.id else { return }
        let deadline = now + within + Self.killAfterNanoseconds
        self[worker].serving?.state = .draining(until: deadline)
        enter(worker, id, .draining(isReplaced: isReplaced))
        emit(.wake)
        emit(.send(id, .drain(within: within)))
    }

    mutating func handleExit(
        _ id: FleetProcess.ID, _ cause: (DeathCause?) -> DeathCause, _ evidence: CrashEvidence, isStarted: Bool = true
    ) {
        guard let (worker, place) = find(id), let process = self[worker][place] else { return }
        let death = Death(cause: cause(process.verdict), process: process)
        self[worker][place] = nil
        switch place {
        case .serving: servingEnded(worker, death, evidence, isStarted: isStarted)
        case .standby, .retiring:
            // The ring and the entry of an ingest slot are those of the process in service.
            if worker.role == .exporter { enter(worker, process, .ended(death.cause, isDrained: false)) }
            if isStarted { logDeath(worker, death, self[worker].policy, delay: nil) }
        }
        if isStarted { attribute(worker, place, death.cause, evidence) }
        emit(.wake)
        if phase == .starting, !isInherited, worker.role != .recorder, case .exited(let code) = death.cause {
            // Nobody has relied on the service yet, and the worker knew why: what it lacks will not come by itself.
            failStart("\(worker) exited with code \(code) before the service was ready; its own log line says why")
        }
        confirmAcceptStop(id)
        // A recorder that cannot record fails no rollout: its own entry says what is wrong with it.
        guard worker.role != .recorder else { return }
        if process.readyAt == nil, death.cause != .requested { failRollout(over: worker, process, death.cause) }
    }

    private mutating func servingEnded(_ worker: WorkerName, _ death: Death, _ evidence: CrashEvidence, isStarted: Bool)
    {
        let process = death.process
        (self[worker].suspects, self[worker].ringHolder) = ([], nil)
        self[worker].lastEnd = death.cause
        var delay: UInt64?
        var policy = self[worker].policy
        switch self[worker].goal {
        case .removed: break
        case .drained where !self[worker].needsEmptyRing: break
        case _ where phase == .stopping: break
        case let goal where death.cause == .requested || goal.edition.map({ $0 != process.edition }) == true:
            // Nothing is wrong with the edition that comes.
            self[worker].startAt = now
            delay = 0
        case .drained, .serve:
            self[worker].lastFailure = death.cause
            let wait = policy.died(readySince: process.readyAt, nowNanoseconds: now)
            self[worker].policy = policy
            self[worker].startAt = now + wait
            delay = wait
        }
        if worker.role == .exporter, let standby = exporter.standby {
            // Nobody else starts beside the one that is about to serve.
            exporter.serving = standby
            exporter.standby = nil
            exporter.servingGeneration = standby.generation
            delay = nil
        }
        let isDrained = self[worker].goal == .drained && !self[worker].needsEmptyRing
        if isStarted { logDeath(worker, death, policy, delay: delay) }
        enter(worker, process, .ended(death.cause, isDrained: isDrained))
    }

    // MARK: Time

    mutating func tick(_ monotonic: UInt64) {
        for worker in workers {
            for place in self[worker].places { tick(worker, place) }
        }
        if shutdown.hasBegun, let step = shutdown.tick(nowNanoseconds: monotonic) { perform(step) }
        guard phase != .stopping else { return }
        serveIfReady()
        attribution.forget(nowNanoseconds: now)
        tickWork()
    }

    private mutating func tick(_ worker: WorkerName, _ place: Slot.Place) {
        guard let process = self[worker][place] else { return }
        switch process.state {
        case .starting(let until) where now >= until: abort(worker, place, .notReady)
        case .draining(let until) where now >= until:
            log(.warning, "\(worker) did not exit in time: killing it", process.id)
            kill(worker, place)
        case .aborting(let cause, let until) where now >= until: kill(worker, place, cause)
        case .serving where place == .serving:
            if let readyAt = process.readyAt {
                self[worker].policy.lives(readySince: readyAt, nowNanoseconds: now)
            }
        default: break
        }
    }

    // MARK: What is told

    struct Death {
        let cause: DeathCause
        let process: FleetProcess
    }

    private mutating func logDeath(_ worker: WorkerName, _ death: Death, _ policy: RestartPolicy, delay: UInt64?) {
        guard death.cause != .requested else { return log(.info, "\(worker) exited as requested", death.process.id) }
        let uptime = StatusText.seconds(now - min(now, death.process.startedAt))
        var text = "\(worker) exited: \(death.cause.text) after \(uptime)"
        if policy.deathsInRow > 1 { text += ", failure \(policy.deathsInRow) in a row" }
        if let delay { text += delay == 0 ? "; restarting now" : "; restarting in \(StatusText.seconds(delay))" }
        log(.error, text, death.process.id)
    }

    mutating func enter(_ worker: WorkerName, _ id: FleetProcess.ID, _ change: TableChange) {
        guard let process = process(id) else { return }
        enter(worker, process, change)
    }

    mutating func enter(_ worker: WorkerName, _ process: FleetProcess, _ change: TableChange) {
        emit(.enter(worker, generation: process.generation, change))
    }
}
