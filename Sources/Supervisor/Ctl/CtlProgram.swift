// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Platform
import Settings
import Supervision

/// The program `fodc-proxy ctl`. Exit codes: those that the service says; 1 without an answer, 2 wrong usage.
enum CtlProgram {
    static func run(_ arguments: [String]) -> Int32 {
        do {
            var command = try CtlCommand.parseAsRoot(arguments)
            guard let command = command as? any CtlSubcommand else {
                try command.run()  // help, which it throws
                return 0
            }
            return try ControlClient.ask(command.request(), runtimeDirectory: command.folder) { bytes, isError in
                try? SmallFile.writeAll(bytes, to: isError ? STDERR_FILENO : STDOUT_FILENO, name: "output")
            }
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

    private static func refuse(_ reason: String) -> Int32 {
        ProxyProgram.print("fodc-proxy ctl: \(reason)", to: STDERR_FILENO)
        ProxyProgram.print("fodc-proxy ctl --help tells how it is used", to: STDERR_FILENO)
        return ProxyProgram.wrongUsage
    }
}
