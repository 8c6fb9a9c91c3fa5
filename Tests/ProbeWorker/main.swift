// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore
import Platform
import WorkerLink
import WorkerRuntime

/// A worker that only says what it is told, a line each on its standard output. `PROBE_PLAN` says what it cannot do.
final class ProbeWorker: Worker {
    enum Inability: String {
        case standBy = "stand-by"
        case start, lanes
    }

    struct CannotDoIt: Error {}

    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    static func cannot(_ what: Inability) -> Bool { ProcessEnvironment.value("PROBE_PLAN") == what.rawValue }

    static func say(_ line: String) {
        try? SmallFile.writeAll(Array("\(line)\n".utf8), to: STDOUT_FILENO, name: "output")
    }

    static func check(_ launch: WorkerLaunch) throws {
        say("checks \(launch.name)")
        if cannot(.standBy) { throw CannotDoIt() }
    }

    func start() -> EventLoopFuture<Void> {
        Self.say("starts on its loop: \(loop.inEventLoop)")
        return Self.cannot(.start) ? loop.makeFailedFuture(CannotDoIt()) : loop.makeSucceededVoidFuture()
    }

    func drain(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        Self.say("drains until \(deadlineNanoseconds)")
        whenDone()
    }

    func retire(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        Self.say("retires until \(deadlineNanoseconds)")
        whenDone()
    }

    func setAccepting(_ isAccepting: Bool) { Self.say("accepts: \(isAccepting)") }

    func laneArrived(_ index: Int, _ lane: LaneDescriptors) throws {
        Self.say("lane \(index) of \(lane.list.filter { fcntl($0, F_GETFD) >= 0 }.count)")
        if Self.cannot(.lanes) { throw CannotDoIt() }
    }

    func laneGone(_ index: Int) { Self.say("lane \(index) is gone") }

    func adoptLane(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) {
        Self.say("adopts \(index)")
        whenDone()
    }
}

WorkerProcess.run(check: ProbeWorker.check) { _, loop, _ in ProbeWorker(loop) }
