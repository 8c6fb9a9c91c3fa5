// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Supervision

struct StatusCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How the service and its workers are.",
        discussion: "LANE is what of the worker's ring is in use, and the ring's present size.")

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions

    func request() -> ControlRequest { .status(isJSON: isJSON) }
}

struct ScaleCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Adds or removes ingest workers.",
        discussion: """
            Agents of removed workers move to the others, and some of the others' to new ones. It holds until the service \
            is stopped, or comes to be started or reloaded with another --ingest-workers. New workers get the \
            --ring-max-size that the others have, also where that was made of the memory limit and the number of workers.
            """)

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions
    @Argument(help: ArgumentHelp("How many ingest workers there shall be, 1 to 64.", valueName: "number"))
    var count: String

    func request() throws -> ControlRequest { .scale(try ControlRequest.workerCount(count)) }
}

struct RestartCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Replaces a worker by a new process.",
        discussion: "It finishes what it does; its agents reconnect.")

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions
    @Argument(help: "exporter, ingest-0, ingest-1, …") var worker: String

    func request() throws -> ControlRequest { .restart(try ControlRequest.worker(worker)) }
}

struct DrainCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Sends an ingest worker's agents to the others, and lets it stay away.",
        discussion: """
            Its process ends; restart brings it back. Until then the service counts as degraded. Refused when no other ingest \
            worker serves, and for the exporter, of which there is one only.
            """)

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions
    @Argument(help: "ingest-0, ingest-1, …") var worker: String

    func request() throws -> ControlRequest { .drain(try ControlRequest.worker(worker)) }
}

struct LogLevelCommand: PlainSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "log-level", abstract: "Changes what all processes log.",
        discussion: "It holds until the service is started anew, or reloaded with another --log-level.")

    @ParentCommand var ctl: CtlCommand
    @OptionGroup var options: CtlOptions
    @Argument(help: "trace, debug, info, warning or error") var level: String

    func request() throws -> ControlRequest { .logLevel(try ControlRequest.level(level)) }
}
