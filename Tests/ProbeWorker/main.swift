// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore
import Platform
import Settings
import WorkerLink
import WorkerRuntime

/// A worker that only says what it is told, a line each on its standard output. `PROBE_PLAN` says what it cannot do.
final class ProbeWorker: Worker {
    enum Inability: String {
        case standBy = "stand-by"
        case start, rings
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

    struct BadFile: Error, CustomStringConvertible { let description: String }

    static func checkFiles(_ settings: ProxySettings) throws {
        guard let path = settings.webConfigFile, path.hasPrefix("/bad") else { return }
        throw BadFile(description: "\(path), line 1: it is bad")
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

    func ringArrived(_ index: Int, _ ring: RingDescriptors) throws {
        Self.say("ring \(index) of \(ring.list.filter { fcntl($0, F_GETFD) >= 0 }.count)")
        if Self.cannot(.rings) { throw CannotDoIt() }
    }

    func ringGone(_ index: Int) { Self.say("ring \(index) is gone") }

    func adoptRing(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) {
        Self.say("adopts \(index)")
        whenDone()
    }
}

WorkerProcess.run(check: ProbeWorker.check, checkFiles: ProbeWorker.checkFiles) { _, loop, _ in ProbeWorker(loop) }
