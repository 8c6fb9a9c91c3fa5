// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Rings
import Settings
import WorkerLink

/// A worker's process as it was just started, and the supervisor's end of its socket (nonblocking).
struct StartedWorker {
    let process: ChildProcess
    let link: Int32
}

/// Turns "start this worker" into a process that has all it needs and nothing else.
struct WorkerStarter {
    /// Variables that systemd sets for the supervisor alone.
    private static let supervisorsVariables: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
    ]

    var settings: ProxySettings
    var programs: WorkerPrograms
    var listeners: Listeners
    /// The table of workers, read-only.
    let control: Int32
    /// The user that workers change to; `nil`: they keep the user of this process.
    let user: WorkerLaunch.WorkerUser?
    private let environment = Self.workerEnvironment()

    init(
        settings: ProxySettings, programs: WorkerPrograms, listeners: Listeners, control: Int32,
        user: WorkerLaunch.WorkerUser? = nil
    ) {
        self.user = user
        self.settings = settings
        self.programs = programs
        self.listeners = listeners
        self.control = control
    }

    /// Starts a worker. On the main thread only: see ``ChildProcess``.
    ///
    /// The link of what is returned is the caller's to close.
    func start(
        _ order: Fleet.Launch, rings: RingSet
    ) throws(SystemError) -> StartedWorker {
        let (role, index) = (order.worker.role, order.worker.index)
        let (mine, theirs) = try MessageSocket.pair()
        defer { MemoryFile.close(theirs) }
        do throws(SystemError) {
            try MessageSocket.setNonblocking(mine)
            var plan = DescriptorPlan()
            let (control, link) = (plan.add(control), plan.add(theirs))
            func add(_ socket: StoredDescriptorName.Role) -> Int32? {
                listeners[socket].map { plan.add($0.descriptor) }
            }
            let listener: Int32? =
                switch role {
                case .ingest: add(.grpc)
                case .exporter: add(.http)
                case .recorder: nil
                }
            let tlsListener = role == .ingest ? add(.grpcTLS) : nil
            let secret = role == .ingest ? plan.add(rings.secret.readable) : nil
            let own =
                switch role {
                case .ingest: rings.ingestRings(index, &plan)
                case .exporter: rings.exporterRings(parity: Self.parity(order.generation), &plan)
                case .recorder: rings.recorderRings(&plan)
                }
            let descriptors = WorkerDescriptors(
                control: control, link: link, listener: listener ?? -1, tlsListener: tlsListener, secret: secret,
                rings: own)
            let launch = WorkerLaunch(
                role: role, index: index, generation: order.generation, ingestWorkers: rings.ingest.count,
                isStandby: order.isStandby, isFresh: order.isFresh, suspects: order.suspects, user: user,
                settings: settings, descriptors: descriptors)
            let process = try ChildProcess(
                path: programs[role].file, program: programs[role].descriptor,
                arguments: [role.executableName] + launch.arguments,
                environment: environment, descriptors: plan.sources)
            return StartedWorker(process: process, link: mine)
        } catch {
            MemoryFile.close(mine)
            throw error
        }
    }

    /// This process's environment without what is the supervisor's alone. Swift's own crash reporter is off unless it is
    /// asked for: while it looks for symbols the worker does not beat, so that it would be taken for hung instead of
    /// faulty, and its successor would wait. The system's core dumps tell more.
    private static func workerEnvironment() -> [String] {
        let reporter = "SWIFT_BACKTRACE"
        let entries = ProcessEnvironment.entries(without: supervisorsVariables)
        return ProcessEnvironment.value(reporter) == nil ? entries + ["\(reporter)=enable=no"] : entries
    }

    static func parity(_ generation: UInt64) -> Int {
        Int(generation % UInt64(RingSet.parities))
    }
}
