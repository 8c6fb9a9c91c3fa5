// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Rings
import WorkerLink

/// Stands in for a worker in the supervisor's tests: a real process with real rings that behaves, or misbehaves, as
/// `FAKE_WORKER_PLAN` says (`exporter#1=hang,ingest-0=segv`; a name without a number is for every generation).
///
/// Asked with `--check` it says what a worker says, or what `FAKE_WORKER_CHECK` holds.
///
/// It leaves a report in the folder `FAKE_WORKER_REPORTS`: what it was given.
enum FakeWorker {
    /// How it (mis)behaves.
    enum Behaviour: String {
        case serve
        /// Ends by itself before it is ready.
        case exitEarly = "exit-early"
        case neverReady = "never-ready"
        /// Serves a moment, then dies of a fault.
        case fault
        /// Serves a moment, then its heart stops.
        case hang
        /// Beats, but never reads what is written for it.
        case notReading = "not-reading"
        case ignoreDrain = "ignore-drain"
    }

    private static let beatMilliseconds: Int32 = 100
    private static let momentBeats = 3

    static func run() -> Int32 {
        if WorkerCheck.isAsked(CommandLine.arguments) {
            print(ProcessEnvironment.value("FAKE_WORKER_CHECK") ?? WorkerCheck.line)
            return 0
        }
        let launch: WorkerLaunch
        let openAtStart = openDescriptors()
        do {
            launch = try WorkerLaunch(arguments: CommandLine.arguments)
        } catch {
            complain("\(error)")
            return 2
        }
        let behaviour = behaviour(of: launch)
        report(launch, openAtStart)
        if behaviour == .exitEarly {
            complain("\(launch.name): exits early, as planned")
            return 1
        }
        do {
            if launch.isStandby { try standBy(launch) }
            return try serve(launch, behaviour)
        } catch {
            complain("\(launch.name): \(error)")
            return 1
        }
    }

    private static func standBy(_ launch: WorkerLaunch) throws {
        let link = SupervisorLink(descriptor: launch.descriptors.link)
        link.sendStandby()
        while let order = try? link.receive() {
            for extra in order.descriptors { close(extra) }
            if order.message == .takeRing { return }
            if order.message == .stop { exit(0) }
        }
        exit(3)
    }

    private static func serve(_ launch: WorkerLaunch, _ behaviour: Behaviour) throws -> Int32 {
        let rings = try FakeRings(launch)
        let link = SupervisorLink(descriptor: launch.descriptors.link)
        try MessageSocket.setNonblocking(launch.descriptors.link)
        rings.beat()
        if behaviour != .neverReady { link.sendReady() }
        var beats = 0
        var isRung = false
        while true {
            switch try MessageSocket.receive(on: launch.descriptors.link) {
            case .end: return 3
            case .nothing: break
            case .message(let message):
                for extra in message.descriptors { close(extra) }
                switch MessageCoding.decodeSupervisorMessage(message.bytes) {
                case .drain where behaviour != .ignoreDrain: return 0
                case .retire where behaviour != .ignoreDrain: return 0
                case .accepting(let isAccepting): link.sendAccepting(isAccepting)
                case .adopt(let index): link.sendAdopted(index: index)
                case .stop where behaviour != .ignoreDrain: return 0
                default: break
                }
            }
            beats += 1
            if beats > momentBeats, behaviour == .fault { raise(SIGSEGV) }
            if beats <= momentBeats || behaviour != .hang { rings.beat() }
            if behaviour != .notReading { rings.readAll() }
            if !isRung, rings.hasRung() {
                isRung = true
                report(["rung yes"], to: "\(launch.name)-\(launch.generation)-rung")
            }
            rings.write()
            var request = pollfd(fd: launch.descriptors.link, events: Int16(POLLIN), revents: 0)
            poll(&request, 1, beatMilliseconds)
        }
    }

    private static func behaviour(of launch: WorkerLaunch) -> Behaviour {
        let plan = ProcessEnvironment.value("FAKE_WORKER_PLAN") ?? ""
        for part in plan.split(separator: ",") {
            let halves = part.split(separator: "=")
            guard halves.count == 2, let behaviour = Behaviour(rawValue: String(halves[1])) else { continue }
            if halves[0] == launch.name || halves[0] == "\(launch.name)#\(launch.generation)" { return behaviour }
        }
        return .serve
    }

    // MARK: Report

    private static func report(_ launch: WorkerLaunch, _ descriptors: [String]) {
        var lines = ["pid \(getpid())", "secret \(launch.secret.map { String($0) }.joined(separator: " "))"]
        lines += descriptors.map { "descriptor \($0)" }
        lines += ProcessEnvironment.entries(without: []).map { "environment \($0)" }
        lines += CommandLine.arguments.map { "argument \($0)" }
        report(lines, to: "\(launch.name)-\(launch.generation)")
    }

    private static func report(_ lines: [String], to name: String) {
        guard let folder = ProcessEnvironment.value("FAKE_WORKER_REPORTS") else { return }
        let text = lines.joined(separator: "\n") + "\n"
        try? SmallFile.replace("\(folder)/\(name)", with: Array(text.utf8), mode: 0o600)
    }

    /// `3 /memfd:fodc-control (deleted)`
    private static func openDescriptors() -> [String] {
        (0..<1024 as Range<Int32>).compactMap { number in
            guard fcntl(number, F_GETFD) >= 0, let target = realpathOfLink("/proc/self/fd/\(number)")
            else { return nil }
            return "\(number) \(target)"
        }
    }

    private static func realpathOfLink(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 512)
        let count = readlink(path, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func complain(_ text: String) {
        _ = StandardError.write(Array((text + "\n").utf8))
    }
}
