// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Logs
import Platform
import Settings
import SupervisorCore

/// The program `fodc-proxy`: reads flags, then supervises until the end; or asks a running one (`ctl`).
///
/// Exit codes: 0 ended as asked, 1 could not start or go on, 2 wrong usage (systemd does not restart then; not used while
/// systemd keeps what an earlier start has left).
enum ProxyProgram {
    static let failure: Int32 = 1
    static let wrongUsage: Int32 = 2

    /// The descriptor in which the program that was in this process before has left what it knows.
    private static let handoverOption = "--handover-fd="

    static func run() -> Int32 {
        // A user that sets the variable gets Swift's crash reporter.
        if ProcessEnvironment.value("SWIFT_BACKTRACE") == nil { FatalSignals.leaveToSystem() }
        SignalQueue.restore(SIGCHLD)
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == CtlCommand.word { return CtlProgram.run(Array(arguments.dropFirst())) }
        SignalQueue.ignoreMeaningless()
        if arguments.count == 1, arguments[0].hasPrefix(handoverOption),
            let descriptor = Int32(arguments[0].dropFirst(handoverOption.count))
        {
            return goOn(descriptor)
        }
        let received = DescriptorStore.takeReceived()
        switch read(arguments) {
        case .end(let code): return code == wrongUsage && holdsInheritedResources(received) ? keepTrying() : code
        case .settings(let flags, let settings):
            if flags.isCheck { return check(flags, settings) }
            let given = given(flags)
            return serve(settings, pauseSeconds: holdsInheritedResources(received) ? 1 : pauseSeconds) {
                let programs = ProgramPaths(
                    executable: try ProcessEnvironment.executablePath(), workerFolder: flags.settings.libexecDirectory)
                // Said in one line, before a worker ends for it.
                if settings.namesFiles {
                    try ProgramCheck.run(workerFolder: programs.workerFolder, settings: settings)
                }
                return SupervisorStart(
                    settings: settings, given: given, flags: flags.settings.given, programs: programs,
                    received: received)
            }
        }
    }

    /// How long systemd's next attempt is put off: its own pause is a tenth of a second, which would fill the log. Where
    /// agents and clients wait already it is one second, unless the settings are wrong.
    private static let pauseSeconds: Int32 = 5

    private static func holdsInheritedResources(_ received: [ReceivedDescriptor]) -> Bool {
        received.contains { SupervisorStart.isKept(name: $0.name) }
    }

    /// Agents and clients rely on a service that was there before this start: with the exit code for wrong usage systemd
    /// would give up, and let go of its sockets and all that was known.
    private static func keepTrying() -> Int32 {
        print(
            "fodc-proxy: sockets and last-known values are kept; correct the value (/etc/default/fodc-proxy, or the unit's "
                + "flags): the service retries every \(pauseSeconds) s", to: STDERR_FILENO)
        return pause(pauseSeconds)
    }

    /// Until the time is over, or somebody wants the service to end, which then is no failure.
    private static func pause(_ seconds: Int32) -> Int32 {
        guard let signals = try? SignalQueue([SIGTERM, SIGINT]) else { return failure }
        var request = pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, seconds * 1000) > 0 ? 0 : failure
    }

    /// After an exec: the command line is that which the program before this one has handed over.
    private static func goOn(_ descriptor: Int32) -> Int32 {
        let handover: ProgramHandover
        do {
            handover = try ProgramHandover(descriptor: descriptor)
        } catch {
            print("fodc-proxy: \(error)", to: STDERR_FILENO)
            return failure
        }
        switch read(handover.arguments) {
        // A failure that --check did not see: systemd is to start it again with what it stores, and not to give up.
        case .end: return failure
        case .settings(let flags, let settings):
            let given = given(flags)
            return serve(settings, pauseSeconds: 0) {
                SupervisorStart(settings: settings, given: given, after: handover)
            }
        }
    }

    private static func given(_ flags: ProxyFlags) -> Set<SettingsFlag> {
        ProxySettings.given(flags: flags.settings.given, environment: ProcessEnvironment.value)
    }

    private enum Reading {
        case settings(ProxyFlags, ProxySettings)
        /// There is nothing to serve: with this exit code.
        case end(Int32)
    }

    private static func read(_ arguments: [String]) -> Reading {
        let flags: ProxyFlags
        do {
            flags = try ProxyFlags.parse(arguments)
        } catch {
            // --help and --version come this way, too.
            let isAnswer = ProxyFlags.exitCode(for: error).isSuccess
            let text = isAnswer ? ProxyFlags.fullMessage(for: error) : "fodc-proxy: \(ProxyFlags.message(for: error))"
            print(text, to: isAnswer ? STDOUT_FILENO : STDERR_FILENO)
            if !isAnswer { print("fodc-proxy --help lists the flags", to: STDERR_FILENO) }
            return .end(isAnswer ? 0 : wrongUsage)
        }
        guard flags.isCheck || flags.environmentFile == nil else {
            print(
                "fodc-proxy: --env-file is for --check only; systemd reads the unit's EnvironmentFile= itself",
                to: STDERR_FILENO)
            return .end(wrongUsage)
        }
        let file: EnvironmentFile?
        do throws(SystemError) {
            file = try environmentFile(flags)
        } catch {
            print("fodc-proxy: --env-file: \(error)", to: STDERR_FILENO)
            return .end(wrongUsage)
        }
        func variable(_ name: String) -> String? {
            let own = ProcessEnvironment.value(name)
            return own?.isEmpty == false ? own : file?.values[name] ?? own
        }
        do throws(SettingsError) {
            let settings = try ProxySettings.resolve(
                flags: flags.settings.given, environment: variable, machine: .current())
            if flags.isCheck { warnOfVariables(file?.entries ?? []) }
            return .settings(flags, settings)
        } catch {
            var place = ""
            if case .environment(let name) = error.source, let file, ProcessEnvironment.value(name)?.isEmpty != false {
                place = "\(file.path): "
            }
            print("fodc-proxy: \(place)\(error)", to: STDERR_FILENO)
            return .end(wrongUsage)
        }
    }

    /// The file that the service reads, for `--check` by hand. A supervisor that tries this program before a reload has been
    /// given all that counts; it always names the folder of the workers.
    private static func environmentFile(_ flags: ProxyFlags) throws(SystemError) -> EnvironmentFile? {
        if let path = flags.environmentFile { return path.isEmpty ? nil : try EnvironmentFile(path: path) }
        guard flags.isCheck, flags.settings.libexecDirectory == nil else { return nil }
        do throws(SystemError) {
            return try EnvironmentFile(path: EnvironmentFile.standardPath)
        } catch {
            guard error.code == ENOENT else { throw error }
            return nil
        }
    }

    /// Variables of this process's environment, and of `more`, that belong to no flag.
    static func warnOfVariables(_ more: [String] = []) {
        for line in UnknownVariables.warnings(of: ProcessEnvironment.entries(without: []) + more) {
            print("fodc-proxy: \(line)", to: STDERR_FILENO)
        }
    }

    /// - Parameter pauseSeconds: when it cannot start, and systemd will try again.
    private static func serve(
        _ settings: ProxySettings, pauseSeconds: Int32, _ start: () throws -> SupervisorStart
    ) -> Int32 {
        func giveUp(_ reason: String) -> Int32 {
            let manager = ServiceManager()
            guard manager.isThere, pauseSeconds > 0 else { return failure }
            manager.status("cannot start: \(reason); retrying every \(pauseSeconds) s")
            return pause(pauseSeconds)
        }
        LogOutput.start(
            component: "supervisor", level: settings.logLevel.rawValue, format: settings.logFormat.rawValue)
        do {
            let supervisor = try FleetExecutor(try start())
            supervisor.onLogLevel = { LogOutput.standard.setLevel($0) }
            try supervisor.enterSandbox()
            let code = supervisor.run()
            return supervisor.startFailure.map { giveUp("\($0)") } ?? code
        } catch {
            print("fodc-proxy: \(error)", to: STDERR_FILENO)
            return giveUp("\(error)")
        }
    }

    private static func check(_ flags: ProxyFlags, _ settings: ProxySettings) -> Int32 {
        do {
            let programs = ProgramPaths(
                executable: try ProcessEnvironment.executablePath(), workerFolder: flags.settings.libexecDirectory)
            try ProgramCheck.run(workerFolder: programs.workerFolder, settings: settings)
            print(ProgramCheck.line, to: STDOUT_FILENO)
            return 0
        } catch {
            print("fodc-proxy: \(error)", to: STDERR_FILENO)
            return failure
        }
    }

    static func print(_ text: String, to descriptor: Int32) {
        try? SmallFile.writeAll(Array((text + "\n").utf8), to: descriptor, name: "output")
    }
}
