// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Lanes

struct DumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Prints a ring's header, its agents and its records, or the worker table.",
        discussion: """
            Examples:
              fodc-lane dump 4711:9                      header and agents
              fodc-lane dump 4711:9 --records --limit 20 and the 20 newest records
              fodc-lane dump /proc/4711/fd/9 --json      one JSON object a line

            Exit status: 0 done; 1 not a ring, or not readable; 2 wrong usage.
            """)

    @Argument(help: ArgumentHelp("A path, or a process and its descriptor.", valueName: "PATH|PID:FD"))
    var source: LaneSource

    @Flag(help: "Print the records too, oldest first.")
    var records = false

    @Option(help: ArgumentHelp("Print only so many records, the newest.", valueName: "N"))
    var limit = 1000

    @Flag(help: "Print one JSON object a line.")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit \(limit): at least 1 is needed") }
    }

    func run() throws {
        let descriptor = try source.open()
        defer { close(descriptor) }
        let printer = DumpPrinter(asJSON: json)
        do throws(LaneError) {
            if ControlFile.isControl(descriptor) {
                ControlDump(reader: try ControlReader(descriptor: descriptor)).print(to: printer)
            } else {
                let reader = try LaneReader(descriptor: descriptor, kind: try LaneFile.kind(of: descriptor))
                let dump = LaneDump(reader: reader)
                dump.printHeader(to: printer)
                dump.printAgents(to: printer)
                if records { dump.printRecords(newest: limit, to: printer) }
            }
        } catch {
            throw LaneToolFailure("\(source.path): \(error)")
        }
    }
}
