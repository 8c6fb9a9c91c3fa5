// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Logging
import Platform
import Settings
import WorkerLink

/// Starting, ending and replacing workers.
extension Supervisor {
    /// How long a start waits for the last writer of a lane before that is killed: the kernel does it when the old
    /// supervisor dies, so this is for a machine that is very busy.
    static let writerPatienceNanoseconds: UInt64 = 5_000_000_000
    private static let writerRetryNanoseconds: UInt64 = 20_000_000

    func metadata(_ worker: SupervisedWorker) -> Logger.Metadata {
        ["worker": "\(worker.name)", "pid": "\(worker.pid)", "generation": "\(worker.generation)"]
    }

    /// Does what a worker's state machine wants.
    func perform(_ action: WorkerLife.Action?, on worker: SupervisedWorker) {
        switch action {
        case nil: return
        case .start: start(worker)
        case .abort(let cause):
            logger.error("\(worker.name) is ended: \(cause.text)", metadata: metadata(worker))
            worker.signal(SIGABRT)
            worker.signal(SIGCONT)
        case .kill:
            worker.signal(SIGKILL)
        }
    }

    /// It waits for the lane of a predecessor, which is another's until then: what becomes of this process says nothing of
    /// that lane, or of that worker's row in the table.
    private func isStandby(_ worker: SupervisedWorker) -> Bool {
        worker.role == .ingest && successors.contains { $0 === worker }
    }

    private func start(_ worker: SupervisedWorker) {
        let isStandby = isStandby(worker)
        guard isStandby || hasFreeLanes(worker) else { return }
        if worker.role == .exporter {
            guard let step = exporterStep(worker) else { return }
            worker.advanceGeneration(by: step)
        } else {
            // Two processes of one index never have the same: it tells whose a row, a lane or a verdict is.
            let others = everyone.filter { $0.role == .ingest && $0.index == worker.index }.map(\.generation)
            worker.advanceGeneration(by: (others.max() ?? 0) + 1 - worker.generation)
        }
        if !isStandby {
            control.starting(worker, after: worker.life.lastDeath?.cause)
            lanes.ringAll()
        }
        do throws(SystemError) {
            try worker.adopt(starter.start(worker, lanes: lanes, isStandby: isStandby), events: events)
            worker.life.started(nowNanoseconds: now)
            worker.suspects = []
            worker.isLeaving = false
            worker.isHeld = false
            worker.laneSet = lanes
            if !isStandby { control.started(worker) }
            logger.debug("\(worker.name) started", metadata: metadata(worker))
        } catch {
            // One that cannot be watched is of no use, and is reaped in time.
            worker.signal(SIGKILL)
            if let process = worker.process { unwatched.append(process) }
            worker.release(events)
            logger.error("\(worker.name) cannot be started", error: error)
            mourn(worker, worker.life.couldNotStart(nowNanoseconds: now))
        }
    }

    /// By how much the exporter's generation rises: above every one that there has been, and its parity must be that of
    /// nobody who still runs. `nil`: there are two already, of which the one that retires is ended now.
    private func exporterStep(_ worker: SupervisedWorker) -> UInt64? {
        let running = everyone.filter { $0.role == .exporter && $0 !== worker && $0.process != nil }
        let highest = max(
            control.lastGeneration(.exporter, index: 0),
            everyone.filter { $0.role == .exporter }.map(\.generation).max() ?? 0)
        let ahead = highest - min(highest, worker.generation)
        for step in [ahead + 1, ahead + 2] {
            let parity = WorkerStarter.parity(worker.generation + step)
            if !running.contains(where: { $0.parity == parity }) { return step }
        }
        let retiring = running.filter { one in leaving.contains { $0 === one } }
        if let oldest = retiring.min(by: { $0.generation < $1.generation }) {
            logger.notice("the oldest of three exporters is ended", metadata: metadata(oldest))
            perform(oldest.life.killNow(), on: oldest)
        }
        worker.life.postpone(untilNanoseconds: now + Self.writerRetryNanoseconds)
        return nil
    }

    /// A lane is handed out only when its last writer is gone, also one of a supervisor before this one.
    private func hasFreeLanes(_ worker: SupervisedWorker) -> Bool {
        if worker.role == .ingest, estate.isForeign,
            everyone.contains(where: { $0.laneSet === lanes && $0.name == worker.name && $0.process != nil })
        {
            // What such a lane says of its writer cannot be read.
            worker.life.postpone(untilNanoseconds: now + Self.writerRetryNanoseconds)
            return false
        }
        var needed: [Lane] = []
        switch worker.role {
        case .ingest: needed = [lanes.ingest[worker.index].up]
        case .exporter: break  // it finds out itself: its lanes are those of its parity, and the state lane waits
        }
        for lane in needed {
            guard let writer = LaneFile.runningWriter(of: lane.readable), writer != worker.pid else { continue }
            let since = worker.waitsForWriterSince ?? now
            worker.waitsForWriterSince = since
            if now.elapsed(since: since) >= Self.writerPatienceNanoseconds {
                logger.error(
                    "the last writer of a lane does not end and is killed",
                    metadata: ["lane": "\(lane.name.description)", "pid": "\(writer)"])
                kill(writer, SIGKILL)
                worker.waitsForWriterSince = nil
            }
            worker.life.postpone(untilNanoseconds: now + Self.writerRetryNanoseconds)
            return false
        }
        worker.waitsForWriterSince = nil
        return true
    }

    func becameReady(_ worker: SupervisedWorker) {
        guard worker.life.becameReady(nowNanoseconds: now) else { return }
        let isFormed =
            switch worker.role {
            case .ingest: openGauges(of: worker)
            // Its beat is in the first; those that have come in the meantime it forms at its next turn.
            case .exporter:
                !canRead(worker) || lanes.ingest.map { $0.downGauges[worker.parity].open() }.first ?? false
            }
        if !isFormed {
            // It is watched all the same: without a heartbeat it will not live long.
            logger.error("\(worker.name) says that it is ready, but its lane cannot be read")
        }
        // One that leaves already was started with the lane that is to go.
        if !worker.isLeaving { worker.startsFresh = false }
        worker.watch = HangWatch(
            laneCount: worker.role == .ingest ? LaneSet.parities : lanes.ingest.count, nowNanoseconds: now)
        control.ready(worker)
        lanes.ringAll()
        logger.info("\(worker.name) is ready", metadata: metadata(worker))
        if let level = changedLogLevel { worker.send(.logLevel(level)) }
        if worker.drainsWhenReady {
            worker.drainsWhenReady = false
            worker.life.drain()
            sendAway(worker)
        }
        operationWorkerReady(worker)
        if !serveIfReady() { tellStatus() }
    }

    /// The service is ready when every worker is. Where agents and clients rely on it already, since it goes on with what a
    /// predecessor has left, one worker that does not come up keeps it from nothing but a while.
    @discardableResult
    func serveIfReady() -> Bool {
        guard phase == .starting else { return false }
        let isEnough =
            estate.isInherited && now >= startedAtNanoseconds + Self.startPatienceNanoseconds && exporter.life.isReady
            && ingest.contains { $0.life.isReady }
        guard isEnough || present.allSatisfy({ $0.life.isReady }) else { return false }
        phase = .serving
        lastStatus = statusLine()
        service.ready(status: lastStatus)
        logger.notice("\(lastStatus)", metadata: ["version": "\(ProxyVersion.current)"])
        adoptLeftLanes()
        return true
    }

    private static let startPatienceNanoseconds: UInt64 = 10_000_000_000

    /// `false`: its own lane has no form.
    private func openGauges(of worker: SupervisedWorker) -> Bool {
        guard let own = lanes(of: worker) else { return true }
        // An exporter that was there before has formed its side by now, or does so at its next turn.
        for gauge in own.downGauges { gauge.open() }
        return own.upGauge.open()
    }

    /// A worker's process has ended and is reaped.
    func bury(_ worker: SupervisedWorker, _ end: ChildProcess.End) {
        let described = metadata(worker)
        let evidence = isStandby(worker) ? Evidence() : self.evidence(of: worker)
        worker.release(events)
        let death = worker.life.ended({ DeathCause(end, verdict: $0) }, nowNanoseconds: now)
        if death.cause == .requested {
            logger.info("\(worker.name) has ended", metadata: described)
        } else {
            logger.error(
                "\(deathText(worker, death))", metadata: described.merging(evidence.metadata) { own, _ in own })
        }
        switch death.cause {
        case .fault: blame(worker, evidence)
        case .hung(.noHeartbeat): blameForHang(worker, evidence)
        default: break
        }
        mourn(worker, death)
    }

    /// What follows a death: everybody is told, and the successor comes.
    private func mourn(_ worker: SupervisedWorker, _ death: WorkerLife.Death) {
        if !isStandby(worker) { control.died(worker, death.cause) }
        lanes.ringAll()
        leaving.removeAll { $0 === worker }
        successors.removeAll { $0 === worker }
        if phase == .starting, !estate.isInherited, case .exited(let code) = death.cause {
            // Nobody has relied on the service yet, and the worker knew why: what it lacks will not come by itself.
            failStart("\(worker.name) ended with exit code \(code) before the service was ready; its own line says why")
        }
        if worker === exporter, let next = successors.first(where: { $0.role == .exporter && $0.life.hasProcess }) {
            // Nobody else starts beside the one that is about to serve.
            successors.removeAll { $0 === next }
            exporter = next
        }
        operationWorkerDied(worker, death)
        holdConfirmed(worker)
        if worker.startsFresh, worker.life.state == .drained { worker.life.resume(nowNanoseconds: now) }
        // No tick is waited for when it may start at once.
        for worker in present { perform(worker.life.tick(hang: nil, nowNanoseconds: now), on: worker) }
        closeOldLanes()
        tellStatus()
    }

    private func deathText(_ worker: SupervisedWorker, _ death: WorkerLife.Death) -> String {
        var text = "\(worker.name) died after \(StatusText.seconds(death.uptimeNanoseconds)): \(death.cause.text)"
        if death.deathsInRow > 1 { text += ", death \(death.deathsInRow) in a row" }
        if let delay = death.restartDelayNanoseconds, !successors.contains(where: { $0 === worker }) {
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
        for worker in everyone { perform(worker.life.killNow(), on: worker) }
    }

    func perform(_ step: ShutdownPlan.Step) {
        switch step {
        case .drain(let deadline):
            phase = .stopping
            service.stopping(status: "stopping: connections are drained")
            endOperation(.failure("the service is being stopped"))
            for worker in everyone { worker.life.end() }
            // No ingest worker takes the agents that another one sends away. The exporter knows that the service ends before
            // their answers fail to come.
            let ingest = everyone.filter { $0.role == .ingest }
            for worker in ingest { worker.send(.accepting(false)) }
            for worker in everyone.filter({ $0.role == .exporter }) + ingest {
                worker.send(.drain(deadlineNanoseconds: deadline))
            }
        case .hasten:
            for worker in everyone { worker.send(.stop) }
        case .kill:
            for worker in everyone where worker.life.hasProcess {
                logger.warning("\(worker.name) has not ended in time and is killed", metadata: metadata(worker))
                perform(worker.life.killNow(), on: worker)
            }
        }
    }
}
