// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import WorkerLink

/// A running process of the fleet: its pidfd, the supervisor's end of its socket, and what its rings show of it.
final class RunningWorker {
    let worker: WorkerName
    let generation: UInt64
    let child: ChildProcess
    fileprivate(set) var link: Int32
    var watch: LivenessWatchdog

    fileprivate init(
        _ worker: WorkerName, generation: UInt64, child: ChildProcess, link: Int32, now: Instant
    ) {
        (self.worker, self.generation, self.child, self.link) = (worker, generation, child, link)
        watch = LivenessWatchdog(ringCount: 0, nowNanoseconds: now)
    }

    var parity: Int { WorkerStarter.parity(generation) }
}

/// The processes that this supervisor has started and not reaped yet.
final class WorkerProcesses {
    private let events: EventQueue
    private(set) var running: [FleetProcess.ID: RunningWorker] = [:]
    /// Killed, and to be reaped: nothing tells of their end.
    private var orphans: [ChildProcess] = []

    init(events: EventQueue) {
        self.events = events
    }

    subscript(id: FleetProcess.ID) -> RunningWorker? { running[id] }

    /// One that was just started, or that this process has started before an exec.
    func add(
        _ id: FleetProcess.ID, _ worker: WorkerName, generation: UInt64, _ started: StartedWorker, now: Instant
    ) throws(SystemError) {
        let token = EventToken(worker: id)
        do throws(SystemError) {
            try events.add(started.process.pidfd, token: token.process.rawValue)
            if started.link >= 0 { try events.add(started.link, token: token.link.rawValue) }
        } catch {
            // One that cannot be watched is unusable, and is reaped in time.
            abandon(started.process)
            MemoryFile.close(started.link)
            throw error
        }
        running[id] = RunningWorker(
            worker, generation: generation, child: started.process, link: started.link, now: now)
    }

    /// Its end is waited for, and told to nobody.
    func abandon(_ child: ChildProcess) {
        child.signal(SIGKILL)
        events.remove(child.pidfd)
        orphans.append(child)
    }

    func reapOrphans() {
        if !orphans.isEmpty { orphans.removeAll { $0.reap() != nil } }
    }

    /// How the process has ended; `nil` while it runs. Lets go of it.
    func reap(_ id: FleetProcess.ID) -> ChildProcess.End? {
        guard let process = running[id], let end = process.child.reap() else { return nil }
        closeLink(process)
        events.remove(process.child.pidfd)
        running[id] = nil
        return end
    }

    /// By its pid, also one that is an orphan.
    func child(pid: pid_t) -> ChildProcess? {
        running.values.first { $0.child.pid == pid }?.child ?? orphans.first { $0.pid == pid }
    }

    func id(pid: pid_t) -> FleetProcess.ID? { running.first { $0.value.child.pid == pid }?.key }

    func isOrphan(pid: pid_t) -> Bool { orphans.contains { $0.pid == pid } }

    func closeLink(_ process: RunningWorker) {
        guard process.link >= 0 else { return }
        events.remove(process.link)
        MemoryFile.close(process.link)
        process.link = -1
    }

    /// Says something to a process; one that does not listen any more is found by its end.
    func send(_ id: FleetProcess.ID, _ message: SupervisorMessage, descriptors: [Int32] = []) {
        guard let link = running[id]?.link, link >= 0 else { return }
        try? MessageSocket.send(MessageCoding.encode(message), descriptors: descriptors, on: link)
    }

    func sendAll(_ message: SupervisorMessage) {
        for id in running.keys.sorted() { send(id, message) }
    }
}
