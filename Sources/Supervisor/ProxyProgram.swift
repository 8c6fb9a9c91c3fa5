// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Logs
import Platform
import Settings
import Supervision

/// The program `fodc-proxy`: reads flags, then supervises until the end; or asks a running one (`ctl`).
///
/// Exit codes: 0 ended as asked, 1 could not start or go on, 2 wrong usage (systemd does not restart then).
enum ProxyProgram {
    static let failure: Int32 = 1
    static let wrongUsage: Int32 = 2

    static func run() -> Int32 {
        let arguments = CommandLine.arguments.dropFirst()
        return arguments.first == CtlCommand.word ? CtlProgram.run(Array(arguments.dropFirst())) : serve()
    }

    private static func serve() -> Int32 {
        let flags: ProxyFlags
        do {
            flags = try ProxyFlags.parse()
        } catch {
            // --help and --version come this way, too.
            let isAnswer = ProxyFlags.exitCode(for: error).isSuccess
            let text = isAnswer ? ProxyFlags.fullMessage(for: error) : "fodc-proxy: \(ProxyFlags.message(for: error))"
            print(text, to: isAnswer ? STDOUT_FILENO : STDERR_FILENO)
            if !isAnswer { print("fodc-proxy --help lists the flags", to: STDERR_FILENO) }
            return isAnswer ? 0 : wrongUsage
        }
        let settings: ProxySettings
        do throws(SettingsError) {
            settings = try ProxySettings.resolve(
                flags: flags.settings.given, environment: ProcessEnvironment.value, machine: .current())
        } catch {
            print("fodc-proxy: \(error)", to: STDERR_FILENO)
            return wrongUsage
        }
        if flags.isCheck { return check(flags) }
        LogOutput.start(
            component: "supervisor", level: settings.logLevel.rawValue, format: settings.logFormat.rawValue)
        do {
            let folder = try flags.settings.libexecDirectory ?? ownFolder()
            return try Supervisor(settings: settings, workerFolder: folder).run()
        } catch {
            print("fodc-proxy: \(error)", to: STDERR_FILENO)
            return failure
        }
    }

    private static func check(_ flags: ProxyFlags) -> Int32 {
        do {
            try ProgramCheck.run(workerFolder: flags.settings.libexecDirectory ?? ownFolder())
            print(ProgramCheck.line, to: STDOUT_FILENO)
            return 0
        } catch {
            print("fodc-proxy: \(error)", to: STDERR_FILENO)
            return failure
        }
    }

    /// The folder of this program; the workers' programs are in it.
    private static func ownFolder() throws(SystemError) -> String {
        let path = try ProcessEnvironment.executablePath()
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    static func print(_ text: String, to descriptor: Int32) {
        try? SmallFile.writeAll(Array((text + "\n").utf8), to: descriptor, name: "output")
    }
}
