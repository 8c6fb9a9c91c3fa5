// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BlackBox
import BlackBoxReports
import Calendar
import Database

struct IncidentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents", abstract: "Prints incidents, the newest first, or all that is known of one.")

    @OptionGroup var file: FileOption

    @Argument(help: "The id of one incident.")
    var incident: String?

    @Option(
        help: ArgumentHelp(
            "Only of this kind: \(IncidentKind.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "kind"))
    var kind: String?

    @Option(help: ArgumentHelp("Only of this pod.", valueName: "name"))
    var pod: String?

    @Option(help: ArgumentHelp("Only those that were open then or happened later, RFC 3339.", valueName: "time"))
    var since: String?

    @Option(help: "Incidents that are printed at most, up to \(IncidentQuery.largestLimit).")
    var limit = IncidentQuery.defaultLimit

    @Flag(name: .customLong("json"), help: "Print what /incidents answers, for programs.")
    var isJSON = false

    func validate() throws { _ = try query() }

    private func query() throws -> IncidentQuery {
        var query = IncidentQuery()
        query.podName = pod
        query.limit = limit
        guard (1...IncidentQuery.largestLimit).contains(limit) else {
            throw ValidationError("--limit \(limit): must be a number from 1 to \(IncidentQuery.largestLimit)")
        }
        if let kind {
            guard let known = IncidentKind(rawValue: kind) else {
                let all = IncidentKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--kind \(kind): must be one of \(all)")
            }
            query.kind = known
        }
        if let since {
            guard let time = RFC3339.parse(since) else {
                throw ValidationError("--since \(since): must be a time such as 2026-11-30T02:13:16Z")
            }
            query.sinceNanoseconds = time.clampedNanosecondsSinceEpoch
        }
        return query
    }

    func run() throws {
        if let incident {
            guard isJSON else {
                return try ShowCommand.print(incident, file)
            }
            let json = try file.read { (reader) throws(DatabaseError) in
                try IncidentsReport.json(ofIncident: incident, reader)
            }
            guard let json else { throw BlackBoxToolFailure.unknown(incident, file) }
            _ = ToolOutput.write(json + [UInt8(ascii: "\n")])
            return
        }
        let query = try query()
        if isJSON {
            let json = try file.read { (reader) throws(DatabaseError) in try IncidentsReport.json(query, reader) }
            _ = ToolOutput.write(json + [UInt8(ascii: "\n")])
            return
        }
        let found = try file.read { (reader) throws(DatabaseError) in try reader.incidents(query) }
        ToolOutput.write(PrintedValue.table(PrintedValue.rows(of: found.found)))
        if found.total > Int64(found.found.count) {
            ToolOutput.write(["", "\(found.total) in all; --limit shows more"])
        }
    }
}

extension PrintedValue {
    /// With a line of titles.
    static func rows(of incidents: [Incident]) -> [[String]] {
        [["INCIDENT", "KIND", "SUBJECT", "CLOSED", "TIMES", "CAUSE"]]
            + incidents.map { incident in
                [
                    incident.id, incident.kind.rawValue, text(incident.subject), time(incident.closedAtNanoseconds),
                    "\(incident.occurrenceCount)", text(incident.cause),
                ]
            }
    }
}

extension BlackBoxToolFailure {
    static func unknown(_ incident: String, _ file: FileOption) -> BlackBoxToolFailure {
        BlackBoxToolFailure("there is no incident \(incident) in \(file.file); `incidents` prints them")
    }
}
