// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BlackBox
import Database

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Prints the nodes, live and gone, and the newest incidents.")

    @OptionGroup var file: FileOption

    @Option(help: "Incidents that are printed at most.")
    var incidents = 50

    func validate() throws {
        guard (0...100_000).contains(incidents) else {
            throw ValidationError("--incidents \(incidents): must be a number from 0 to 100000")
        }
    }

    func run() throws {
        try file.read { (reader) throws(DatabaseError) in
            var nodes = [["POD", "CONTAINERS", "ROLE", "STATE", "FIRST SAMPLE", "LAST SAMPLE", "SAMPLES", "BYTES"]]
            for node in try reader.nodes() {
                let extent = try reader.extent(of: node.id)
                nodes.append([
                    PrintedValue.text(node.podName), PrintedValue.text(node.containerNamesJSON),
                    PrintedValue.text(node.role),
                    PrintedValue.state(node), PrintedValue.time(extent?.firstNanoseconds),
                    PrintedValue.time(extent?.lastNanoseconds),
                    "\(extent?.sampleCount ?? 0)", "\(extent?.byteCount ?? 0)",
                ])
            }
            ToolOutput.write(PrintedValue.table(nodes))
            let found = try reader.incidents(limit: incidents)
            guard !found.isEmpty else { return }
            let rows = PrintedValue.rows(of: found)
            ToolOutput.write([""] + PrintedValue.table(rows))
        }
    }
}

extension PrintedValue {
    static func state(_ node: StoredNode) -> String {
        guard let goneAt = node.goneAtNanoseconds else { return "live" }
        return "gone since \(time(goneAt)) (\(text(node.goneReason ?? "unknown")))"
    }
}
