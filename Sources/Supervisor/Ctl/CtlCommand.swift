// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Platform
import Settings
import SupervisorCore

/// `fodc-proxy ctl`: asks and changes the service that runs.
struct CtlCommand: ParsableCommand {
    /// The first argument that makes the program this one.
    static let word = "ctl"

    static let configuration = CommandConfiguration(
        commandName: "fodc-proxy \(word)",
        abstract: "Shows and changes the state of the running fodc-proxy.",
        discussion: """
            It uses the control socket in the service's runtime folder, which only root and the service's own user may use
            (new-token needs no service):

              fodc-proxy ctl status
              fodc-proxy ctl status --json
              fodc-proxy ctl scale 4 --json
              fodc-proxy ctl restart exporter
              fodc-proxy ctl --runtime-dir /run/other drain ingest-2

            Commands return when the change is complete; scrapes go on meanwhile, and agents move to other workers.

            Exit codes: 0 done, 1 failed or no service (the reason is on standard error), 2 wrong usage.
            """,
        subcommands: [
            StatusCommand.self, ScaleCommand.self, RestartCommand.self, DrainCommand.self, LogLevelCommand.self,
            ReloadCommand.self, CtlIncidentsCommand.self, NewTokenCommand.self,
        ])

    @Option(.runtimeDirectory, help: Self.folderHelp)
    var runtimeDirectory: String?

    static let folderHelp =
        "The service's runtime folder. Default $FODC_RUNTIME_DIR, else $RUNTIME_DIRECTORY, else \(standardFolder)"
    /// Where the package's unit has it.
    static let standardFolder = "/run/fodc-proxy"
}

/// One thing that can be asked.
protocol CtlSubcommand: ParsableCommand {
    var ctl: CtlCommand { get }
    /// `--runtime-dir` behind the command's name.
    var runtimeDirectory: String? { get }
    var isJSON: Bool { get }
    func request() throws -> ControlRequest
}

/// Options of every command.
struct CtlOptions: ParsableArguments {
    @Option(.runtimeDirectory, help: CtlCommand.folderHelp)
    var runtimeDirectory: String?

    @Flag(name: .customLong("json"), help: "Print the answer as JSON on standard output, for programs.")
    var isJSON = false
}

/// A command without flags of its own that would stand in the way of these.
protocol PlainSubcommand: CtlSubcommand {
    var options: CtlOptions { get }
}

extension PlainSubcommand {
    var runtimeDirectory: String? { options.runtimeDirectory }
    var isJSON: Bool { options.isJSON }
}

extension CtlSubcommand {
    var folder: String { runtimeDirectory ?? ctl.runtimeDirectory ?? CtlCommand.folderOfEnvironment }
}

extension CtlCommand {
    /// The service's runtime folder when no flag says so.
    static var folderOfEnvironment: String {
        for name in [SettingsFlag.runtimeDirectory.environmentVariable, "RUNTIME_DIRECTORY"] {
            // systemd puts several folders into one variable with colons between them.
            if let value = ProcessEnvironment.value(name)?.split(separator: ":").first { return String(value) }
        }
        return standardFolder
    }
}
