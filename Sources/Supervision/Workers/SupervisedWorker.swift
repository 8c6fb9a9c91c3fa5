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
    /// By this events know it; never used twice in a process.
    let number: UInt64
    /// Of the present process, else of the last; rises with each start.
    private(set) var generation: UInt64
    var life: WorkerLife
    var watch: HangWatch
    /// Whether the last status line told that it dies again and again.
    var isKnownDegraded = false
    /// Set for who is to be gone: by the ``SteadyClock``, when patience ends.
    var killAtNanoseconds: UInt64?
    /// It has been told to go: it is not asked for anything any more.
    var isLeaving = false
    /// It has been told to take no connections.
    var isHeld = false
    /// Those that its process was started with; `nil`: it has had none, or they are of a program before this one.
    var laneSet: LaneSet?
    /// Since when it is kept from starting by a process that writes its lane.
    var waitsForWriterSince: UInt64?
    /// What its predecessor was reading when it died of a fault (``RecordName`` words of the exporter).
    var suspects: [UInt64] = []
    /// It begins with empty lanes, whatever its predecessors left.
    var startsFresh = false
    /// When its ring was last reset for being damaged, by the ``SteadyClock``.
    var ringResetAtNanoseconds: UInt64?
    /// It was drained, and is again as soon as its lane is empty.
    var drainsWhenReady = false
    private(set) var process: ChildProcess?
    private(set) var link: Int32 = -1

    nonisolated(unsafe) private static var lastNumber: UInt64 = 0

    /// - Parameter generation: of the last process of this role and index, 0 if there was none.
    init(_ role: WorkerRole, index: Int, generation: UInt64 = 0, life: WorkerLife, nowNanoseconds: UInt64) {
        self.role = role
        self.index = index
        self.generation = generation
        self.life = life
        name = WorkerLaunch.name(role, index)
        watch = HangWatch(laneCount: 0, nowNanoseconds: nowNanoseconds)
        Self.lastNumber += 1
        number = Self.lastNumber
    }

    var parity: Int { WorkerStarter.parity(generation) }

    /// Of the present process; 0 if there is none.
    var pid: pid_t { process?.pid ?? 0 }

    /// - Parameter step: 2 leaves one out, so that an exporter gets the lanes of the other parity.
    func advanceGeneration(by step: UInt64 = 1) {
        generation += step
    }

    /// Takes over a process that has just been started, or was handed over, and watches it.
    func adopt(_ started: StartedWorker, events: EventQueue) throws(SystemError) {
        link = started.link
        process = started.process
        let token = EventToken(worker: number)
        try events.add(started.process.pidfd, token: token.process.rawValue)
        if link >= 0 { try events.add(link, token: token.link.rawValue) }
    }

    /// How its process has ended, once; the process is reaped.
    func reap() -> ChildProcess.End? {
        process?.reap()
    }

    /// Lets go of a process that has ended.
    func release(_ events: EventQueue) {
        if let process { events.remove(process.pidfd) }
        process = nil
        killAtNanoseconds = nil
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
    func send(_ message: SupervisorMessage, descriptors: [Int32] = []) {
        guard link >= 0 else { return }
        try? MessageSocket.send(MessageCoding.encode(message), descriptors: descriptors, on: link)
    }
}
