// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Logs
import Platform
import WorkerLink

/// Events, brought to the fleet.
extension FleetExecutor {
    func handle(_ token: EventToken) {
        switch token {
        case .timer: if timer.take() > 0 { tick() }
        case .signals: while let number = signals.next() { handleSignal(number) }
        case .barrier: keeper.barrierPassed()
        case .check: checkEnded()
        default:
            if let requests, requests.owns(token.rawValue) {
                requests.handleReadable(token.rawValue, nowNanoseconds: now)
                return continueReloadIfQuiet()
            }
            // A token may be of a process that is gone by now.
            guard let (id, isLink) = token.worker, let process = processes[id] else { return }
            if isLink { readLink(id, process) } else { reap(id) }
        }
    }

    /// Four times a second: how everybody is, and is systemd content.
    func tick() {
        if let interval = service.watchdogIntervalNanoseconds {
            let monotonic = MonotonicClock.nowNanoseconds()
            // One tick early rather than one late.
            if monotonic + SuspendFreeClock.tickNanoseconds >= published.lastPingNanoseconds + interval {
                if service.ping() { published.lastPingNanoseconds = monotonic }
            }
        }
        service.flush()
        LogOutput.standard.writeRepeats()
        observe()
        publishUsage()
        processes.reapOrphans()
        requests?.tick(nowNanoseconds: now)
        continueReloadIfQuiet()
        bring(.tick(monotonic: MonotonicClock.nowNanoseconds()))
    }

    /// The exec closes connections of the control socket: who is about to ask something is answered before.
    func continueReloadIfQuiet() {
        guard case .approved = fleet.work, requests?.isQuiet ?? true else { return }
        bring(.requestsAnswered)
    }

    private func handleSignal(_ number: Int32) {
        switch number {
        case SIGHUP: bring(.reloadAsIs)
        case SIGCHLD: reapChildren()
        default:
            logger.notice("ending", metadata: ["signal": "\(SignalName.of(number))"])
            bring(.terminate(monotonic: MonotonicClock.nowNanoseconds()))
        }
    }

    // MARK: Exits

    /// Reaps also what this process has not started: as PID 1 of a container it inherits what `kubectl exec` and probes
    /// leave behind. The end of one that it has started goes where its pidfd would bring it.
    func reapChildren() {
        while let pid = ChildProcess.nextEnded() {
            if let id = processes.id(pid: pid) {
                guard reap(id) else { return }
            } else if reload.trial?.process.pid == pid {
                checkEnded()
            } else if processes.isOrphan(pid: pid) {
                processes.reapOrphans()
            } else {
                guard ChildProcess.reapUnknown(pid) else { return }
                logger.debug("reaped an orphaned process", metadata: ["pid": "\(pid)"])
            }
        }
    }

    @discardableResult
    private func reap(_ id: FleetProcess.ID) -> Bool {
        guard let process = processes[id] else { return false }
        let fields = metadata(id)
        // To be taken before a successor writes.
        let evidence = evidence(of: id, process)
        readLastWords(id, process)
        guard let end = processes.reap(id) else { return false }
        exitMetadata = (id, fields.merging(evidence.fields) { own, _ in own })
        bring(.exited(id, end, evidence.evidence))
        exitMetadata = nil
        return true
    }

    // MARK: What workers say

    private static let messagesATurn = 32

    private func readLink(_ id: FleetProcess.ID, _ process: RunningWorker) {
        // The next turn reads the rest, because a worker that sends without end must not hold the loop.
        for _ in 0..<Self.messagesATurn where process.link >= 0 {
            do throws(SystemError) {
                switch try MessageSocket.receive(on: process.link) {
                case .nothing: return
                case .end: processes.closeLink(process)  // it is ending; its pidfd tells how
                case .message(let message):
                    for extra in message.descriptors { close(extra) }
                    take(MessageCoding.decodeWorkerMessage(message.bytes), from: id, process.worker)
                }
            } catch {
                if error.code == EMSGSIZE { continue }
                logger.warning("cannot read from a worker", error: error, metadata: ["worker": "\(process.worker)"])
                processes.closeLink(process)
            }
        }
    }

    /// Of a process that has ended, or is about to: why, if it has said so.
    private func readLastWords(_ id: FleetProcess.ID, _ process: RunningWorker) {
        for _ in 0..<Self.messagesATurn where process.link >= 0 {
            guard case .message(let message)? = try? MessageSocket.receive(on: process.link) else { return }
            for extra in message.descriptors { close(extra) }
            if case .refusedCall(let number)? = MessageCoding.decodeWorkerMessage(message.bytes) {
                return take(refusedCall: number, from: id, process.worker)
            }
        }
    }

    private func take(_ message: WorkerMessage?, from id: FleetProcess.ID, _ worker: WorkerName) {
        switch message {
        case .ready: bring(.ready(id))
        case .standby: bring(.standsBy(id))
        case .adopted(let index): bring(.adopted(ring: index, by: id))
        case .accepting(let isAccepting): if !isAccepting { bring(.stopsAccepting(id)) }
        case .sandboxed(let missing): take(missing: missing)
        case .refusedCall(let number): take(refusedCall: number, from: id, worker)
        case nil: logger.debug("unknown message", metadata: ["worker": "\(worker)"])
        }
    }
}
