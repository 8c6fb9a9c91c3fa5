// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import Rings
import WorkerLink

/// Performs the fleet's actions.
extension FleetExecutor {
    func perform(_ action: Fleet.Action) {
        switch action {
        case .start(let launch): start(launch)
        case .send(let id, let order): processes.send(id, message(order))
        case .signal(let id, let signal): self.signal(id, signal)
        case .killRingHolder(let index): ringHolder(index)?.child?.signal(SIGKILL)
        case .watch(let id): watch(id)
        case .addRing: addRing()
        case .dropRing(let index): dropRing(index)
        case .adoptRing(let index, let id): adoptRing(index, by: id)
        case .wake: rings.wakeAll()
        case .enter(let worker, let generation, let change): enter(worker, generation, change)
        case .publishWanted: publishWanted()
        case .quarantine(let identity): quarantine(identity)
        case .countRingReset: control.add(.ringsReset)
        case .checkPrograms(let isAsIs): checkPrograms(isAsIs: isAsIs)
        case .stopCheck: reload.trial?.process.signal(SIGKILL)
        case .pauseRequests:
            requests?.hold()
            continueReloadIfQuiet()
        case .resumeRequests: requests?.resume()
        case .exec: exec()
        case .settleReload(let failure, let keepsGRPC, let keepsHTTP):
            settleReload(failure, keepsGRPC: keepsGRPC, keepsHTTP: keepsHTTP)
        case .countReload(let failure): countReload(failure)
        case .serviceReady: notifyReady()
        case .serviceStopping: service.stopping(status: "stopping: draining connections")
        case .finished(let kind, let failure, let request): finish(kind, failure, request)
        case .reply(let request, let answer): self.answer(takeReply(request), answer)
        case .log(let notice): log(notice)
        }
    }

    // MARK: Processes

    private func start(_ launch: Fleet.Launch) {
        if launch.worker.role == .ingest, !launch.isStandby, let holder = ringHolder(launch.worker.index) {
            return bring(.ringHeld(launch.id, by: holder.pid, isFormerChild: holder.child != nil))
        }
        if !launch.isStandby { enter(launch.worker, launch.generation, .starting(after: launch.after)) }
        do throws(SystemError) {
            let started = try starter.start(launch, rings: rings)
            try processes.add(launch.id, launch.worker, generation: launch.generation, started, now: now)
            if !launch.isStandby { enter(launch.worker, launch.generation, .started(launch.id)) }
            logger.debug("\(launch.worker) started", metadata: metadata(launch.id))
        } catch {
            logger.error("cannot start \(launch.worker)", error: error)
            bring(.startFailed(launch.id))
        }
    }

    /// The last writer of a ring, if it still runs, also one of a supervisor before this one.
    private func ringHolder(_ index: Int) -> (pid: pid_t, child: ChildProcess?)? {
        guard let own = rings(index), let pid = RingFile.runningWriter(of: own.dataRing.readable) else { return nil }
        return (pid, processes.child(pid: pid))
    }

    private func message(_ order: Fleet.Order) -> SupervisorMessage {
        let monotonic = MonotonicClock.nowNanoseconds()
        return switch order {
        case .drain(let span): .drain(deadlineNanoseconds: monotonic + span)
        case .drainAll(let deadline): .drain(deadlineNanoseconds: deadline)
        case .retire(let span): .retire(deadlineNanoseconds: monotonic + span)
        case .accepting(let isAccepting): .accepting(isAccepting)
        case .stop: .stop
        case .takeRing: .takeRing
        }
    }

    private func signal(_ id: FleetProcess.ID, _ signal: Fleet.Signal) {
        guard let child = processes[id]?.child else { return }
        switch signal {
        case .abort:
            child.signal(SIGABRT)
            child.signal(SIGCONT)
        case .kill: child.signal(SIGKILL)
        }
    }

    // MARK: Rings

    private func addRing() {
        let added: IngestRings
        do throws(SystemError) {
            added = try rings.append()
        } catch {
            return bring(.ringFailed("\(error)"))
        }
        for ring in added.all { keeper.keep(ring) }
        for (id, process) in processes.running {
            let parity = process.worker.role == .exporter ? process.parity : nil
            processes.send(id, .ring(index: added.index), descriptors: added.descriptors(parity: parity).list)
        }
        bring(.ringAdded)
    }

    private func dropRing(_ index: Int) {
        processes.sendAll(.ringGone(index: index))
        let gone = rings.removeLast()
        keeper.forget(gone.all)
        gone.close()
    }

    private func adoptRing(_ index: Int, by id: FleetProcess.ID) {
        // One that was never formed has nothing to be taken over.
        guard rings(index)?.dataGauge.open() == true else { return bring(.adopted(ring: index, by: id)) }
        processes.send(id, .adopt(index: index))
    }

    // MARK: The table of workers

    private func enter(_ worker: WorkerName, _ generation: UInt64, _ change: Fleet.TableChange) {
        let slot = fleet.exists(worker) ? fleet[worker] : nil
        let entry = WorkerTable.Entry(
            worker: worker, generation: generation, deathsInRow: slot?.policy.deathsInRow ?? 0)
        switch change {
        case .starting(let death): control.starting(entry, after: death)
        case .started(let id): control.started(entry, pid: processes[id]?.child.pid ?? 0)
        case .serving: control.ready(entry)
        case .draining(let isReplaced): control.draining(entry, isReplaced: isReplaced)
        case .replacementEnded: control.replacementEnded(entry)
        case .drained: control.drained(entry)
        case .ended(let cause, let isDrained): control.died(entry, cause, isDrained: isDrained)
        }
    }

    private func quarantine(_ identity: UInt64) {
        control.quarantine(
            identityHash: identity,
            untilNanoseconds: MonotonicClock.nowNanoseconds() + CrashAttribution.quarantineNanoseconds
        )
        control.add(.quarantinedIdentities)
        let time = StatusText.seconds(CrashAttribution.quarantineNanoseconds)
        logger.error(
            """
            an agent has crashed ingest workers \(CrashAttribution.deathsOfAgent) times and is quarantined for \(time); the ingest \
            workers name it when it comes back
            """, metadata: ["identity": "\(String(identity, radix: 16))"])
        rings.wakeAll()
    }

    // MARK: What is told

    private func finish(_ kind: Rollout.Kind, _ failure: String?, _ request: RequestID?) {
        if let failure {
            logger.error("\(kind.name) failed: \(failure)")
            answer(takeReply(request), .failed(failure))
        } else {
            // Nothing but a reload has to do with how the last one went.
            let line = statusLine(showsReload: kind == .reload)
            logger.notice("\(kind.name): done", metadata: ["result": "\(line)"])
            answer(takeReply(request), .done(line))
        }
    }

    private func answer(_ reply: ControlReply?, _ answer: Fleet.Answer) {
        // An answer is in the status, and outlives the supervisor, when it is given.
        publishStatus()
        keepRecord()
        switch answer {
        case .done(let text): reply?.succeed(text)
        case .failed(let reason): reply?.fail(reason)
        }
    }

    private func log(_ notice: Fleet.Notice) {
        var fields = notice.process.map(metadata) ?? [:]
        for (key, value) in notice.fields { fields[key] = "\(value)" }
        let level: Logger.Level =
            switch notice.severity {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
        logger.log(level: level, "\(notice.text)", metadata: fields)
    }
}
