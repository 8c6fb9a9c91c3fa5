// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BlackBox
import Calendar
import Database
import Metrics
import Platform

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes the samples of a node as text that other programs load.")

    @OptionGroup var file: FileOption

    @Option(help: ArgumentHelp("The node's pod.", valueName: "name"))
    var pod: String?

    @Option(help: ArgumentHelp("The node and the time of an incident, in place of --pod.", valueName: "id"))
    var incident: String?

    @Option(
        help: ArgumentHelp(
            "From this time on, RFC 3339; by default the last 15 minutes that are known.", valueName: "time"))
    var start: String?

    @Option(help: ArgumentHelp("Up to this time.", valueName: "time"))
    var end: String?

    @Option(
        help: ArgumentHelp(
            "Only these series: name or name{label=\"value\"}; may be given several times.", valueName: "series"))
    var match: [String] = []

    @Option(
        help: ArgumentHelp(
            "openmetrics, for promtool tsdb create-blocks-from openmetrics; prometheus, for VictoriaMetrics' "
                + "/api/v1/import/prometheus; or json, as /black-box/{pod_name} has it.", valueName: "format"))
    var format = SeriesHistory.Format.openMetrics

    func validate() throws {
        guard (pod == nil) != (incident == nil) else {
            throw ValidationError("give either --pod or --incident; `list` prints both")
        }
        _ = try (time(start, "--start"), time(end, "--end"))
        for text in match where SeriesMatch(text) == nil {
            throw ValidationError("--match \(text): must be \(SeriesMatch.allowed)")
        }
    }

    private func time(_ text: String?, _ flag: String) throws -> Int64? {
        guard let text else { return nil }
        guard let time = RFC3339.parse(text) else {
            throw ValidationError("\(flag) \(text): must be a time such as 2026-11-30T02:13:16Z")
        }
        return time.clampedNanosecondsSinceEpoch
    }

    func run() throws {
        let (from, until) = (try time(start, "--start"), try time(end, "--end"))
        let matches = match.compactMap { SeriesMatch($0) }
        let count = try file.read { (reader) throws(DatabaseError) -> Int? in
            let (nodes, pin) = try subject(reader)
            guard let extent = try reader.extent(of: nodes) else { return nil }
            let last = until ?? pin?.untilNanoseconds ?? extent.lastNanoseconds
            let standard = max(extent.firstNanoseconds, last.subtractingClamped(BlackBoxReader.defaultRangeNanoseconds))
            let plan = try reader.plan(
                ExportQuery(
                    nodes: nodes, fromNanoseconds: from ?? pin?.fromNanoseconds ?? standard, untilNanoseconds: last,
                    matches: matches, format: format))
            if plan.rowCount > 0 { try reader.write(plan) { ToolOutput.write($0) } }
            return plan.rowCount
        }
        guard let count else {
            throw BlackBoxToolFailure(
                "\(file.file) has no samples of \(pod ?? incident ?? ""); `list` prints what it has")
        }
        guard count > 0 else {
            throw BlackBoxToolFailure("there are no samples in that time; `list` prints first and last")
        }
    }

    /// The nodes that are meant, the oldest first; none: nothing is known of them.
    private func subject(_ reader: BlackBoxReader) throws(DatabaseError) -> (nodes: [StoredNode], pin: IncidentPin?) {
        guard let incident else { return (try reader.nodes(ofPod: pod ?? ""), nil) }
        guard let found = try reader.incident(incident) else { return ([], nil) }
        return (try reader.nodes().filter { $0.id == found.nodeID }, IncidentPin(found))
    }
}

extension SeriesHistory.Format: ExpressibleByArgument {}
