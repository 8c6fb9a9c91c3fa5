// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import WorkerLink

/// One worker: its life, its present process, and the supervisor's end of its socket.
final class SupervisedWorker {
    let role: WorkerRole
    let index: Int
    /// `ingest-0`, `exporter`.
    let name: String
    /// Of the present process, else of the last; rises by one with each start.
    private(set) var generation: UInt64 = 0
    var life: WorkerLife
    var watch: HangWatch
    /// Whether the last status line told that it dies again and again.
    var isKnownDegraded = false
    /// What the last process was reading when it died of a fault of its own, for its successor: words of `RecordName`.
    var suspects: [UInt64] = []
    private(set) var process: ChildProcess?
    private(set) var link: Int32 = -1

    init(_ role: WorkerRole, index: Int, nowNanoseconds: UInt64) {
        self.role = role
        self.index = index
        name = WorkerLaunch.name(role, index)
        life = WorkerLife(nowNanoseconds: nowNanoseconds)
        watch = HangWatch(laneCount: 0, nowNanoseconds: nowNanoseconds)
    }

    var parity: Int { WorkerStarter.parity(generation) }

    /// Of the present process; 0 if there is none.
    var pid: pid_t { process?.pid ?? 0 }

    func nextGeneration() -> UInt64 {
        generation += 1
        return generation
    }

    /// Takes over a process that has just been started, and watches it.
    func adopt(_ started: StartedWorker, events: EventQueue, token: EventToken) throws(SystemError) {
        link = started.link
        process = started.process
        try events.add(started.process.pidfd, token: token.process.rawValue)
        try events.add(link, token: token.link.rawValue)
    }

    /// How its process has ended, once; the process is reaped.
    func reap() -> ChildProcess.End? {
        process?.reap()
    }

    /// Lets go of a process that has ended.
    func release(_ events: EventQueue) {
        if let process { events.remove(process.pidfd) }
        process = nil
        closeLink(events)
    }

    func closeLink(_ events: EventQueue) {
        guard link >= 0 else { return }
        events.remove(link)
        close(link)
        link = -1
    }

    func signal(_ number: Int32) {
        process?.signal(number)
    }

    /// Says something to the worker; one that does not listen any more is found by its end.
    func send(_ message: SupervisorMessage) {
        guard link >= 0 else { return }
        try? MessageSocket.send(MessageCoding.encode(message), on: link)
    }
}
