// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Platform
import Settings
import SupervisorCore

/// The program `fodc-proxy ctl`. Exit codes: those that the service says; 1 without an answer, 2 wrong usage.
enum CtlProgram {
    static func run(_ arguments: [String]) -> Int32 {
        do {
            var command = try CtlCommand.parseAsRoot(arguments)
            if let incidents = command as? CtlIncidentsCommand { return try incidents.become() }
            guard let command = command as? any CtlSubcommand else {
                try command.run()  // help, which it throws
                return 0
            }
            return command.isJSON && !(command is StatusCommand) ? try askForJSON(command) : try ask(command)
        } catch let failure as ControlClient.Failure {
            ProxyProgram.print("fodc-proxy ctl: \(failure)", to: STDERR_FILENO)
            return ProxyProgram.failure
        } catch let error as SettingsError {
            return refuse("\(error)")
        } catch let error as ControlRequestError {
            return refuse("\(error)")
        } catch let error as SystemError {
            ProxyProgram.print("fodc-proxy ctl: \(error)", to: STDERR_FILENO)
            return ProxyProgram.failure
        } catch {
            // --help comes this way, too.
            guard !CtlCommand.exitCode(for: error).isSuccess else {
                ProxyProgram.print(
                    CtlCommand.fullMessage(for: error), to: arguments.isEmpty ? STDERR_FILENO : STDOUT_FILENO)
                return arguments.isEmpty ? ProxyProgram.wrongUsage : 0
            }
            return refuse(CtlCommand.message(for: error))
        }
    }

    private static func ask(_ command: any CtlSubcommand) throws -> Int32 {
        try ControlClient.ask(command.request(), runtimeDirectory: command.folder) { bytes, isError in
            try? SmallFile.writeAll(bytes, to: isError ? STDERR_FILENO : STDOUT_FILENO, name: "output")
        }
    }

    /// The service's answer, and whether it has done what it was asked, as one object; the reason why not is on standard
    /// error as well.
    private static func askForJSON(_ command: any CtlSubcommand) throws -> Int32 {
        let request = try command.request()
        var said: [UInt8] = []
        do {
            let code = try ControlClient.ask(request, runtimeDirectory: command.folder) { bytes, isError in
                said += bytes
                if isError { try? SmallFile.writeAll(bytes, to: STDERR_FILENO, name: "output") }
            }
            ProxyProgram.print(StatusReport.outcome(isDone: code == 0, said: said), to: STDOUT_FILENO)
            return code
        } catch {
            ProxyProgram.print(
                StatusReport.outcome(isDone: false, said: Array("\(error)".utf8)), to: STDOUT_FILENO)
            throw error
        }
    }

    private static func refuse(_ reason: String) -> Int32 {
        ProxyProgram.print("fodc-proxy ctl: \(reason)", to: STDERR_FILENO)
        ProxyProgram.print("see fodc-proxy ctl --help", to: STDERR_FILENO)
        return ProxyProgram.wrongUsage
    }
}
