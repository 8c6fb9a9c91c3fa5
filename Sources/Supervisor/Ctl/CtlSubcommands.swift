// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import SupervisorCore

struct StatusCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the state of the service and its workers.",
        discussion: "RING is how much of the worker's data ring is in use, and the ring's present size.")

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions

    func request() -> ControlRequest { .status(isJSON: isJSON) }
}

struct ScaleCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Adds or removes ingest workers.",
        discussion: """
            Agents of removed workers move to the others, and new workers take over some agents. The number holds until the \
            service is stopped, or is started or reloaded with another --ingest-workers. New workers get the same \
            --ring-max-size as the others, even if that was derived from the memory limit and the number of workers.
            """)

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions
    @Argument(help: ArgumentHelp("Number of ingest workers, 1 to 64.", valueName: "number"))
    var count: String

    func request() throws -> ControlRequest { .scale(try ControlRequest.workerCount(count)) }
}

struct RestartCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Replaces a worker by a new process.",
        discussion: "The old process finishes its work; its agents reconnect.")

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions
    @Argument(help: "exporter, ingest-0, ingest-1, …") var worker: String

    func request() throws -> ControlRequest { .restart(try ControlRequest.worker(worker)) }
}

struct DrainCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Moves an ingest worker's agents to the others and stops it.",
        discussion: """
            Its process exits; "restart" starts it again. Until then the service is degraded. Refused when no other ingest \
            worker is running, and for the exporter, because there is only one.
            """)

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions
    @Argument(help: "ingest-0, ingest-1, …") var worker: String

    func request() throws -> ControlRequest { .drain(try ControlRequest.worker(worker)) }
}

struct LogLevelCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "log-level", abstract: "Changes the log level of all processes.",
        discussion: "The level holds until the service is restarted, or reloaded with another --log-level.")

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions
    @Argument(help: "trace, debug, info, warning or error") var level: String

    func request() throws -> ControlRequest { .logLevel(try ControlRequest.level(level)) }
}
