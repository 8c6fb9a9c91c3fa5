// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Logging
import Platform
import Settings
import WorkerLink

/// The parent of all: owns sockets and lanes, starts and watches the workers, speaks to systemd. Everything happens on
/// the main thread, in turns of one event queue; nothing in it waits for anybody.
public final class Supervisor {
    /// Where the service is in its life.
    enum Phase: Equatable {
        /// Until every worker has been ready once.
        case starting
        case serving
        case stopping
    }

    /// Descriptors that a worker may have open: 10,000 agents, HTTP clients, and some air.
    static let descriptorLimit = 65_536

    let settings: ProxySettings
    let logger = Logger(label: "supervisor")
    let service = ServiceManager()
    let events: EventQueue
    let timer: TickTimer
    let signals: SignalQueue
    let lanes: LaneSet
    let listeners: Listeners
    let starter: WorkerStarter
    let control: ControlBoard
    /// Ingest workers by index, then the exporter.
    let workers: [SupervisedWorker]
    let upGauges: [LaneGauge]
    /// By worker, then parity.
    let downGauges: [[LaneGauge]]

    var phase = Phase.starting
    var clock: SteadyClock
    var shutdown = ShutdownPlan()
    var lastPingNanoseconds: UInt64 = 0
    var lastStatus = ""
    /// Why the start has failed, if it has.
    var startFailure: StartError?

    /// Makes all that the service needs, and starts nothing yet. An error leaves nothing behind but descriptors, which
    /// go with the process.
    ///
    /// - Parameter workerFolder: where the workers' programs are.
    public init(settings: ProxySettings, workerFolder: String) throws(StartError) {
        self.settings = settings
        SignalQueue.ignore(SIGPIPE)
        // A limit on file sizes is then an error with a line of its own, and not the end.
        SignalQueue.ignore(SIGXFSZ)
        DescriptorLimit.raise(to: Self.descriptorLimit)
        let now = MonotonicClock.nowNanoseconds()
        clock = SteadyClock(monotonicNanoseconds: now)
        do throws(SystemError) {
            signals = try SignalQueue([SIGTERM, SIGINT, SIGHUP])
            events = try EventQueue()
            timer = try TickTimer(intervalNanoseconds: SteadyClock.tickNanoseconds)
            try events.add(timer.descriptor, token: EventToken.timer.rawValue)
            try events.add(signals.descriptor, token: EventToken.signals.rawValue)
        } catch {
            throw StartError("the event loop cannot be made: \(error)")
        }
        try WorkerStarter.check(folder: workerFolder)
        let secret = try InstallationSecret.load(stateDirectory: settings.stateDirectory)
        listeners = try Listeners.open(settings)
        lanes = try LaneSet(ingestWorkers: settings.ingestWorkers, secret: secret.bytes)
        control = try ControlBoard()
        starter = WorkerStarter(
            settings: settings, folder: workerFolder, listeners: listeners, lanes: lanes, control: control.readable)
        workers =
            (0..<settings.ingestWorkers).map { SupervisedWorker(.ingest, index: $0, nowNanoseconds: now) }
            + [SupervisedWorker(.exporter, index: 0, nowNanoseconds: now)]
        upGauges = lanes.ups.map { LaneGauge($0, kind: .up) }
        downGauges = lanes.downs.map { pair in pair.map { LaneGauge($0, kind: .down) } }
        tellOrigin(of: secret)
    }

    var exporter: SupervisedWorker { workers[workers.count - 1] }
    var now: UInt64 { clock.nowNanoseconds }

    /// Serves until it is told to end, or the start fails. Returns the exit code of the process: 0 or 1.
    public func run() -> Int32 {
        while workers.contains(where: { $0.life.state != .finished }) {
            do throws(SystemError) {
                try turn()
            } catch {
                // Nothing that is described in epoll_wait(2) can happen here; a loop without events would spin.
                logger.critical("the event loop is broken: ending", error: error)
                for worker in workers { perform(worker.life.killNow(), on: worker) }
                return 1
            }
        }
        if let startFailure {
            logger.critical("\(startFailure)")
            return 1
        }
        logger.info("all workers have ended")
        return 0
    }

    /// One turn of the loop: waits for events and handles them.
    private func turn() throws(SystemError) {
        try events.wait(timeoutMilliseconds: -1) { token in
            let pause = clock.advance(monotonicNanoseconds: MonotonicClock.nowNanoseconds())
            if pause > 0 {
                logger.warning("was paused", metadata: ["seconds": "\(StatusText.seconds(pause))"])
            }
            handle(EventToken(rawValue: token))
        }
    }

    private func tellOrigin(of secret: InstallationSecret) {
        switch secret.origin {
        case .kept: break
        case .made:
            logger.info("made a secret for the ids of agents", metadata: ["folder": "\(settings.stateDirectory ?? "")"])
        case .replaced(let flaw):
            logger.warning(
                "the secret for the ids of agents was of no use, a new one is made: ids change",
                metadata: ["flaw": "\(flaw)"])
        case .passing:
            logger.info("no --state-dir: ids of agents change when the proxy is restarted")
        }
    }
}
