// SPDX-License-Identifier: Apache-2.0
import Exchange
import Glibc
import Logging
import Platform
import Settings
import WorkerLink

/// Starting, ending and replacing workers.
extension Supervisor {
    /// Does what a worker's state machine wants.
    func perform(_ action: WorkerLife.Action?, on worker: SupervisedWorker) {
        switch action {
        case nil: return
        case .start: start(worker)
        case .abort(let cause):
            logger.error(
                "\(worker.name) is ended: \(cause.text)",
                metadata: ["pid": "\(worker.pid)", "generation": "\(worker.generation)"])
            worker.signal(SIGABRT)
            worker.signal(SIGCONT)
        case .kill:
            worker.signal(SIGKILL)
        }
    }

    private func start(_ worker: SupervisedWorker) {
        let generation = worker.nextGeneration()
        control.starting(worker)
        lanes.ringAll()
        do throws(SystemError) {
            let place = worker.role == .exporter ? workers.count - 1 : worker.index
            try worker.adopt(
                starter.start(
                    worker.role, index: worker.index, generation: generation, suspects: worker.suspects),
                events: events, token: EventToken(place: place))
            worker.life.started(nowNanoseconds: now)
            control.started(worker)
            logger.debug("\(worker.name) started", metadata: ["pid": "\(worker.pid)", "generation": "\(generation)"])
        } catch {
            // A process that cannot be watched dies with its socket and the pidfd.
            worker.signal(SIGKILL)
            worker.release(events)
            logger.error("\(worker.name) cannot be started", error: error)
            mourn(worker, worker.life.couldNotStart(nowNanoseconds: now))
        }
    }

    func becameReady(_ worker: SupervisedWorker) {
        guard worker.life.becameReady(nowNanoseconds: now) else { return }
        let isFormed =
            switch worker.role {
            case .ingest: upGauges[worker.index].open()
            case .exporter: downGauges.map { $0[worker.parity].open() }.allSatisfy { $0 }
            }
        if !isFormed {
            // It is watched all the same: without a heartbeat it will not live long.
            logger.error("\(worker.name) says that it is ready, but its lane cannot be read")
        }
        worker.watch = HangWatch(
            laneCount: worker.role == .ingest ? LaneSet.parities : upGauges.count, nowNanoseconds: now)
        control.ready(worker)
        lanes.ringAll()
        logger.info(
            "\(worker.name) is ready", metadata: ["pid": "\(worker.pid)", "generation": "\(worker.generation)"])
        if phase == .starting, workers.allSatisfy(\.life.isReady) {
            phase = .serving
            lastStatus = statusLine()
            service.ready(status: lastStatus)
            logger.notice("\(lastStatus)", metadata: ["version": "\(ProxyVersion.current)"])
        } else {
            tellStatus()
        }
    }

    /// A worker's process has ended and is reaped.
    func bury(_ worker: SupervisedWorker, _ end: ChildProcess.End) {
        let pid = worker.pid
        worker.release(events)
        let death = worker.life.ended({ DeathCause(end, verdict: $0) }, nowNanoseconds: now)
        worker.suspects = suspects(of: worker, death.cause)
        let metadata: Logger.Metadata = ["pid": "\(pid)", "generation": "\(worker.generation)"]
        if death.cause == .requested {
            logger.info("\(worker.name) has ended", metadata: metadata)
        } else {
            logger.error("\(deathText(worker, death))", metadata: metadata)
        }
        mourn(worker, death)
    }

    /// What an exporter that died of a fault of its own was reading; signals from outside and hangs say nothing of that.
    private func suspects(of worker: SupervisedWorker, _ cause: DeathCause) -> [UInt64] {
        guard worker.role == .exporter, case .fault = cause, let gauge = downGauges.first?[worker.parity] else {
            return []
        }
        return ExporterNote.allCases.map { gauge.counter($0.rawValue, generation: worker.generation) }
    }

    /// What follows a death: everybody is told, and the successor comes.
    private func mourn(_ worker: SupervisedWorker, _ death: WorkerLife.Death) {
        control.died(worker, death.cause)
        lanes.ringAll()
        if phase == .starting, case .exited(let code) = death.cause {
            // Nobody has relied on the service yet, and the worker knew why: what it lacks will not come by itself.
            failStart("\(worker.name) ended with exit code \(code) before the service was ready; its own line says why")
        }
        // No tick is waited for when it may start at once.
        perform(worker.life.tick(hang: nil, nowNanoseconds: now), on: worker)
        tellStatus()
    }

    private func deathText(_ worker: SupervisedWorker, _ death: WorkerLife.Death) -> String {
        var text = "\(worker.name) died after \(StatusText.seconds(death.uptimeNanoseconds)): \(death.cause.text)"
        if death.deathsInRow > 1 { text += ", death \(death.deathsInRow) in a row" }
        if let delay = death.restartDelayNanoseconds {
            text += delay == 0 ? "; restarting at once" : "; restart in \(StatusText.seconds(delay))"
        }
        return text
    }

    // MARK: Ending

    /// The start has failed: everything ends.
    private func failStart(_ reason: String) {
        guard startFailure == nil else { return }
        startFailure = StartError(reason)
        phase = .stopping
        for worker in workers { perform(worker.life.killNow(), on: worker) }
    }

    func perform(_ step: ShutdownPlan.Step) {
        switch step {
        case .drain(let deadline):
            phase = .stopping
            service.stopping(status: "stopping: connections are drained")
            for worker in workers {  // ingest first: agents leave, then what the exporter still runs is answered
                worker.life.end()
                worker.send(.drain(deadlineNanoseconds: deadline))
            }
        case .hasten:
            for worker in workers { worker.send(.stop) }
        case .kill:
            for worker in workers where worker.life.hasProcess {
                logger.warning("\(worker.name) has not ended in time and is killed", metadata: ["pid": "\(worker.pid)"])
                perform(worker.life.killNow(), on: worker)
            }
        }
    }

    // MARK: Status

    /// Tells systemd how things are, if that has changed.
    func tellStatus() {
        for worker in workers { worker.isKnownDegraded = worker.life.policy.isDegraded }
        guard phase == .serving else { return }
        let line = statusLine()
        guard line != lastStatus else { return }
        lastStatus = line
        service.status(line)
    }

    private func statusLine() -> String {
        let reports = workers.map { worker in
            StatusText.Worker(name: worker.name, isReady: worker.life.isReady, trouble: trouble(of: worker))
        }
        return StatusText.line(
            ingest: Array(reports.dropLast()), exporter: reports[reports.count - 1], listening: listeners.text)
    }

    private func trouble(of worker: SupervisedWorker) -> StatusText.Trouble? {
        let policy = worker.life.policy
        guard policy.isDegraded, let last = worker.life.lastDeath else { return nil }
        var next: UInt64?
        if case .waiting(let until) = worker.life.state { next = until > now ? until - now : 0 }
        return StatusText.Trouble(
            deaths: policy.deathsInRow, overNanoseconds: policy.lastDeathNanoseconds - policy.firstDeathNanoseconds,
            lastCause: last.cause.text, nextTryNanoseconds: next)
    }
}
