// SPDX-License-Identifier: Apache-2.0
import Calendar

/// The rows of the fleet as CSV (RFC 4180), for spreadsheets and `cut`.
enum FleetCSV {
    static let contentType = "text/csv; charset=utf-8; header=present"

    private static let columns = [
        "node_id", "agent_id", "node_role", "tier", "zone", "address", "state", "why", "since", "streams",
        "ingest_worker", "registered_at", "last_sample_at", "series", "restarts", "open_incidents", "memory_bytes",
        "cpu_cores",
    ]

    static func text(_ rows: [FleetRow], _ tracks: [String: FleetHistory.Track]) -> String {
        var out = line(columns)
        for row in rows {
            let track = tracks[row.podName]
            out += line([
                text(row.podName), text(row.agentID), text(row.role), text(row.tier), text(row.zone),
                text(row.address), row.state.rawValue, text(row.why),
                time(row.sinceNanoseconds == 0 ? nil : row.sinceNanoseconds),
                row.streams.joined(separator: " "), number(row.ingestWorker), time(row.registeredAtNanoseconds),
                time(row.lastSampleAtNanoseconds), "\(row.series)", number(row.restarts), number(row.openIncidents),
                number(newest(track?.memoryBytes).map { Int($0) }), number(newest(track?.cpuCores)),
            ])
        }
        return out
    }

    private static func line(_ fields: [String]) -> String { fields.joined(separator: ",") + "\r\n" }

    private static func number(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "" }

    private static func time(_ nanoseconds: Int64?) -> String {
        nanoseconds.map { RFC3339.text(EpochTime(nanosecondsSinceEpoch: $0), fraction: .none) } ?? ""
    }

    private static func newest(_ values: [Float]?) -> Float? {
        values?.last { $0.isFinite && $0.magnitude < 1e18 }
    }

    /// A text of an agent. A spreadsheet takes one that begins like a formula for a formula, unless an apostrophe is before it.
    private static func text(_ value: String) -> String {
        var out = "\""
        switch value.utf8.first {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0d: out += "'"
        default: break
        }
        for scalar in value.unicodeScalars {
            if scalar == "\"" { out += "\"" }
            out.unicodeScalars.append(scalar)
        }
        return out + "\""
    }
}
