// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Rings

struct DumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Prints a ring's header, its agents and its records, or the worker table.",
        discussion: """
            Examples:
              fodc-ring dump 4711:9                      header and agents
              fodc-ring dump 4711:9 --records --limit 20 and the 20 newest records
              fodc-ring dump /proc/4711/fd/9 --json      one JSON object a line

            Exit status: 0 done; 1 not a ring, or not readable; 2 wrong usage.
            """)

    @Argument(help: ArgumentHelp("A path, or a process and its descriptor.", valueName: "PATH|PID:FD"))
    var source: RingSource

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
        do throws(RingError) {
            if WorkerTableFile.isControl(descriptor) {
                WorkerTableDump(reader: try WorkerTableReader(descriptor: descriptor)).print(to: printer)
            } else {
                let reader = try RingReader(descriptor: descriptor, kind: try RingFile.kind(of: descriptor))
                let dump = RingDump(reader: reader)
                dump.printHeader(to: printer)
                dump.printAgents(to: printer)
                if records { dump.printRecords(newest: limit, to: printer) }
            }
        } catch {
            throw RingToolFailure("\(source.path): \(error)")
        }
    }
}
