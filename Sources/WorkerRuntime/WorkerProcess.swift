// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Logs
import NIOCore
import NIOPosix
import Platform
import Settings
import WorkerLink

/// The part of a worker process that its program brings. All of it on its event loop.
public protocol Worker: Sendable {
    /// Succeeds when the worker serves.
    func start() -> EventLoopFuture<Void>
    /// Ends in order and then calls `whenDone`; at the latest when the deadline (`CLOCK_MONOTONIC`) has come.
    func drain(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void)
    /// A successor serves already: finishes what runs, takes nothing new, then calls `whenDone`.
    func retire(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void)
    /// Takes connections, or leaves them to others. Of an ingest worker alone.
    func setAccepting(_ isAccepting: Bool)
    /// There is another ingest worker, or that one has a new ring. The descriptors are the worker's own from now on. Throws
    /// when it cannot take the ring: a process that begins anew is given all of them again.
    func ringArrived(_ index: Int, _ ring: RingDescriptors) throws
    /// That ingest worker is no more.
    func ringGone(_ index: Int)
    /// Takes over what is current in the ring of an ingest worker that is no more, then calls `whenDone`.
    func adoptRing(_ index: Int, _ whenDone: @escaping @Sendable () -> Void)
}

extension Worker {
    public func setAccepting(_ isAccepting: Bool) {}
}

/// The life of a worker process: arguments, event loop, the line to the supervisor, the end.
public enum WorkerProcess {
    /// The supervisor's launch arguments are invalid.
    public static let exitUsage: Int32 = 2
    /// It could not begin to serve, or cannot follow a change among the workers.
    public static let exitFailure: Int32 = 1
    /// Large answers in a row use the same memory. After the last of them the system is to have it before a person looks.
    private static let timeBetweenGivingMemoryBack = TimeAmount.seconds(10)

    /// Runs until the supervisor says that it is enough, or is gone. `make` is called on the event loop; `check` before a
    /// worker says that it stands by, so that a program that cannot serve is found out while its predecessor still does.
    ///
    /// - Parameters:
    ///   - readablePaths: files that a worker reads anew while it serves, better their folders: all others are closed to it
    ///     from then on.
    ///   - checkFiles: throws where a file that the settings name cannot be used.
    public static func run(
        check: (WorkerLaunch) throws -> Void = { _ in }, checkFiles: (ProxySettings) throws -> Void = { _ in },
        readablePaths: (WorkerLaunch) -> [String] = { _ in [] },
        _ make: @escaping @Sendable (WorkerLaunch, any EventLoop, Logger) throws -> any Worker
    ) -> Never {
        StandardDescriptors.ensureOpen()
        if WorkerCheck.isAsked(CommandLine.arguments) { exit(answerCheck(checkFiles)) }
        // It may have been executed by a descriptor, after which the system calls it in ps and in its cores.
        if let name = CommandLine.arguments.first?.split(separator: "/").last { ProcessName.set(String(name)) }
        signal(SIGPIPE, SIG_IGN)
        SignalQueue.ignoreMeaningless()
        // A limit on file sizes is an error of the write that meets it, not the end of the worker.
        signal(SIGXFSZ, SIG_IGN)
        let launch: WorkerLaunch
        do {
            launch = try WorkerLaunch(arguments: CommandLine.arguments)
        } catch {
            complain("\(CommandLine.arguments.first ?? "worker") is started by fodc-proxy, not by hand: \(error)")
            exit(exitUsage)
        }
        LogOutput.start(
            component: launch.name, level: launch.settings.logLevel.rawValue, format: launch.settings.logFormat.rawValue
        )
        let logger = Logger(label: launch.name)
        let link = SupervisorLink(descriptor: launch.descriptors.link)
        var confinement = WorkerConfinement(launch, readablePaths: readablePaths(launch))
        confinement.enter(logger)
        let loop = makeLoop(logger)
        let early = launch.isStandby ? standBy(launch, link, logger, check) : []
        let worker: any Worker
        do {
            worker = try loop.submit { try make(launch, loop, logger) }.wait()
            confinement.seal(logger)
            try loop.flatSubmit { worker.start() }.wait()
        } catch {
            logger.critical("cannot serve", metadata: ["reason": "\(error)"])
            exit(exitFailure)
        }
        loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            LogOutput.standard.writeRepeats()
        }
        let pause = timeBetweenGivingMemoryBack
        loop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in FreedMemory.giveToSystem() }
        link.sendSandboxed(missing: confinement.missing)
        link.sendReady()
        logger.debug("ready", metadata: ["generation": "\(launch.generation)"])
        for order in early { dispatch(order, launch, link, worker, loop, logger) }
        while let order = nextOrder(link, logger) { dispatch(order, launch, link, worker, loop, logger) }
        // The supervisor is gone; what it owned is gone with it or in systemd's keeping.
        exit(0)
    }

    /// The line of ``WorkerCheck``, and below it why a file cannot be used.
    private static func answerCheck(_ checkFiles: (ProxySettings) throws -> Void) -> Int32 {
        func say(_ line: String) {
            try? SmallFile.writeAll(Array("\(line)\n".utf8), to: STDOUT_FILENO, name: "output")
        }
        say(WorkerCheck.line)
        do {
            try checkFiles(try WorkerCheck.settings(CommandLine.arguments))
            return 0
        } catch {
            say("\(error)")
            return exitUsage
        }
    }

    /// The event loop runs on a thread of ours: NIO makes its own in a way that cannot fail, and traps at the limit of tasks.
    private static func makeLoop(_ logger: Logger) -> any EventLoop {
        do {
            let thread = try JobThread(name: "event-loop")
            let made = AwaitedValue<any EventLoop>()
            thread.run { MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { made.set($0) } }
            return made.wait()
        } catch {
            giveUp(
                "cannot start the event loop's thread: raise the limit of tasks (pids, TasksMax, nproc)", "\(error)",
                logger)
        }
    }

    /// Waits until the ring is this worker's. Other messages that arrive meanwhile are returned, for when it serves.
    private static func standBy(
        _ launch: WorkerLaunch, _ link: SupervisorLink, _ logger: Logger, _ check: (WorkerLaunch) throws -> Void
    ) -> [SupervisorOrder] {
        do {
            try check(launch)
            // It will make threads of its own.
            try JobThread.checkRoom()
        } catch {
            logger.critical("cannot become a standby process", metadata: ["reason": "\(error)"])
            exit(exitFailure)
        }
        link.sendStandby()
        var orders: [SupervisorOrder] = []
        while let order = nextOrder(link, logger) {
            switch order.message {
            case .takeRing: return orders
            case .drain, .retire, .stop: exit(0)
            case .logLevel(let level): LogOutput.standard.setLevel(level)
            default: orders.append(order)
            }
        }
        exit(0)
    }

    /// An order that has lost its descriptors may have been any: who begins anew misses none.
    private static func nextOrder(_ link: SupervisorLink, _ logger: Logger) -> SupervisorOrder? {
        do {
            return try link.receive()
        } catch {
            giveUp("a message of the supervisor arrived without all of its descriptors", "\(error)", logger)
        }
    }

    private static func giveUp(_ message: Logger.Message, _ reason: String, _ logger: Logger) -> Never {
        logger.critical(message, metadata: ["reason": "\(reason)"])
        exit(exitFailure)
    }

    private static func dispatch(
        _ order: SupervisorOrder, _ launch: WorkerLaunch, _ link: SupervisorLink, _ worker: any Worker,
        _ loop: any EventLoop, _ logger: Logger
    ) {
        switch order.message {
        case .drain(let deadline):
            loop.execute { worker.drain(deadlineNanoseconds: deadline) { exit(0) } }
        case .retire(let deadline):
            loop.execute { worker.retire(deadlineNanoseconds: deadline) { exit(0) } }
        case .stop:
            exit(0)
        case .accepting(let isAccepting):
            loop.execute {
                worker.setAccepting(isAccepting)
                link.sendAccepting(isAccepting)
            }
        case .logLevel(let level):
            LogOutput.standard.setLevel(level)
        case .takeRing:
            break
        case .ring(let index):
            guard let ring = RingDescriptors(order.descriptors, for: launch.role) else {
                giveUp("cannot take a ring", "ingest-\(index): it arrived without its descriptors", logger)
            }
            loop.execute {
                do {
                    try worker.ringArrived(index, ring)
                } catch {
                    giveUp("cannot take a ring", "ingest-\(index): \(error)", logger)
                }
            }
        case .ringGone(let index):
            loop.execute { worker.ringGone(index) }
        case .adopt(let index):
            loop.execute { worker.adoptRing(index) { link.sendAdopted(index: index) } }
        }
    }

    private static func complain(_ line: String) {
        _ = StandardError.write(Array((line + "\n").utf8))
    }
}
