// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Logs
import Platform
import WorkerLink

/// What happens, and who deals with it.
extension Supervisor {
    func handle(_ token: EventToken) {
        switch token {
        case .timer:
            if timer.take() > 0 { tick() }
        case .signals:
            while let number = signals.next() { handleSignal(number) }
        case .barrier:
            keeper.barrierPassed()
        case .check:
            checkEnded()
        default:
            if let requests, requests.owns(token.rawValue) {
                requests.handleReadable(token.rawValue, nowNanoseconds: now)
                return becomeNextIfQuiet()
            }
            // A token may be of a process that is gone by now.
            guard let (number, isLink) = token.worker, let worker = everyone.first(where: { $0.number == number })
            else { return }
            if isLink {
                readLink(worker)
            } else if let end = worker.reap() {
                bury(worker, end)
            }
        }
    }

    /// Four times a second: who hangs, who is due, is systemd content. Allocates little as long as all is well.
    private func tick() {
        if let interval = service.watchdogIntervalNanoseconds {
            let monotonic = MonotonicClock.nowNanoseconds()
            // One tick early rather than one late.
            if monotonic + SteadyClock.tickNanoseconds >= lastPingNanoseconds + interval {
                if service.ping() { lastPingNanoseconds = monotonic }
            }
        }
        service.flush()
        LogOutput.standard.tellRepeats()
        observe()
        for worker in everyone {
            if let killAt = worker.killAtNanoseconds, now >= killAt {
                worker.killAtNanoseconds = nil
                logger.warning("\(worker.name) has not ended in time and is killed", metadata: metadata(worker))
                // Who is only drained stays that; who is to be gone is.
                perform(
                    worker.life.isEnding ? worker.life.killNow() : worker.life.kill(.requested), on: worker)
            }
            perform(worker.life.tick(hang: worker.watch.verdict(nowNanoseconds: now), nowNanoseconds: now), on: worker)
        }
        if shutdown.isUnderWay, let step = shutdown.tick(nowNanoseconds: MonotonicClock.nowNanoseconds()) {
            perform(step)
        }
        if !unwatched.isEmpty { unwatched.removeAll { $0.reap() != nil } }
        serveIfReady()
        requests?.tick(nowNanoseconds: now)
        checkTick()
        becomeNextIfQuiet()
        operationTick()
        suspicion.forget(nowNanoseconds: now)
        tellStatus()
    }

    /// Takes down what the workers show of themselves in their lanes' headers.
    private func observe() {
        // Draining workers read no commands any more, and that is right.
        let isReading = phase != .stopping
        let exporters = ([exporter] + leaving + successors).filter { $0.role == .exporter && $0.life.isReady }
        for worker in ingest + leaving where worker.role == .ingest && worker.life.isReady {
            guard let own = lanes(of: worker) else {
                unwatch(worker)
                continue
            }
            // One may have had no form yet when either side said that it is ready, or a header that made no sense.
            for gauge in [own.upGauge] + own.downGauges where !gauge.isOpen { gauge.open() }
            worker.watch.observe(heartbeat: own.upGauge.heartbeat, nowNanoseconds: now)
            for parity in 0..<LaneSet.parities {
                let isWritten =
                    isReading && !worker.isLeaving && exporters.contains { $0.parity == parity }
                    && !isStalled(own, parity: parity, generation: worker.generation)
                worker.watch.observe(
                    lane: parity, readPosition: isWritten ? own.upGauge.readPosition(parity) : nil,
                    head: own.downGauges[parity].head, nowNanoseconds: now)
            }
        }
        for worker in exporters {
            let parity = worker.parity
            guard let first = lanes.ingest.first, canRead(worker) else {
                unwatch(worker)
                continue
            }
            for own in lanes.ingest where !own.downGauges[parity].isOpen { own.downGauges[parity].open() }
            worker.watch.observe(heartbeat: first.downGauges[parity].heartbeat, nowNanoseconds: now)
            worker.watch.setLaneCount(lanes.ingest.count, nowNanoseconds: now)
            for own in lanes.ingest {
                let isReadable = isReading && !isStalled(own, exporter: worker)
                worker.watch.observe(
                    lane: own.index, readPosition: isReadable ? own.downGauges[parity].readPosition(0) : nil,
                    head: own.upGauge.head, nowNanoseconds: now)
            }
        }
        resetDamagedRings()
    }

    /// Its lanes are of another layout: nothing is known of it but that its process is there.
    private func unwatch(_ worker: SupervisedWorker) {
        worker.watch = HangWatch(laneCount: LaneSet.parities, nowNanoseconds: now)
    }

    /// Whether its lanes are the present ones, and of a layout that this program knows.
    func canRead(_ worker: SupervisedWorker) -> Bool { worker.laneSet === lanes && !estate.isForeign }

    /// The lanes that an ingest worker writes; `nil` when they cannot be read.
    func lanes(of worker: SupervisedWorker) -> IngestLanes? {
        guard canRead(worker), lanes.ingest.indices.contains(worker.index) else { return nil }
        return lanes.ingest[worker.index]
    }

    /// Reaps also what this process has not started: as PID 1 of a container it inherits what `kubectl exec` and probes
    /// leave behind. The end of one that it has started goes where its pidfd would bring it.
    func reapChildren() {
        while let pid = ChildProcess.nextEnded() {
            if let worker = everyone.first(where: { $0.pid == pid }) {
                guard let end = worker.reap() else { return }
                bury(worker, end)
            } else if check?.process.pid == pid {
                checkEnded()
            } else if unwatched.contains(where: { $0.pid == pid }) {
                unwatched.removeAll { $0.reap() != nil }
            } else {
                guard ChildProcess.reapUnknown(pid) else { return }
                logger.debug("an orphan has ended and is reaped", metadata: ["pid": "\(pid)"])
            }
        }
    }

    private static let messagesATurn = 32

    /// What a worker says.
    private func readLink(_ worker: SupervisedWorker) {
        // What is left comes with the next turn: one that talks without end does not stop the loop.
        for _ in 0..<Self.messagesATurn where worker.link >= 0 {
            do throws(SystemError) {
                switch try MessageSocket.receive(on: worker.link) {
                case .nothing: return
                case .end: worker.closeLink(events)  // it is ending; its pidfd tells how
                case .message(let message):
                    for extra in message.descriptors { close(extra) }
                    switch MessageCoding.decodeWorkerMessage(message.bytes) {
                    case .ready: becameReady(worker)
                    case .standby: standsBy(worker)
                    case .adopted(let index): adopted(index, by: worker)
                    case .accepting(let isAccepting): if !isAccepting { holdConfirmed(worker) }
                    case nil: logger.debug("unknown message", metadata: ["worker": "\(worker.name)"])
                    }
                }
            } catch {
                if error.code == EMSGSIZE { continue }
                logger.warning("cannot read from a worker", error: error, metadata: ["worker": "\(worker.name)"])
                worker.closeLink(events)
            }
        }
    }

    private func handleSignal(_ number: Int32) {
        switch number {
        case SIGHUP: return reloadAsIs()
        case SIGCHLD: return reapChildren()
        default: break
        }
        let step = shutdown.signalled(nowNanoseconds: MonotonicClock.nowNanoseconds())
        logger.notice("ending", metadata: ["signal": "\(SignalName.of(number))"])
        perform(step)
    }
}
