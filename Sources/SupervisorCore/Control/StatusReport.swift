// SPDX-License-Identifier: Apache-2.0
import Calendar
import JSONWriting
import Settings

/// A ``ServiceStatus`` as text. Both forms end with a line break.
public enum StatusReport {
    /// The outcome of a command, as JSON in one line of text.
    ///
    /// - Parameter said: what it has printed: lines for people.
    public static func outcome(isDone: Bool, said: [UInt8]) -> String {
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n").map(String.init)
        var json = JSONWriter(layout: .indented, escapes: .statusReports)
        json.object { json in
            json.member("result", isDone ? "done" : "failed")
            json.member("text", lines.joined(separator: "\n"))
        }
        return json.text
    }

    // MARK: For people

    static func text(_ status: ServiceStatus) -> String {
        var lines = [
            "fodc-proxy \(status.version), process \(status.processID), \(state(of: status)), "
                + "up \(duration(status.uptimeNanoseconds))"
        ]
        if let reason = status.degradedReason { lines.append("degraded: \(line(reason))") }
        let tls = status.grpcTLSAddress.map { ", gRPC with TLS \($0)" } ?? ""
        lines.append("listening: gRPC \(status.grpcAddress)\(tls), HTTP \(status.httpAddress)")
        lines.append(
            "ingest workers: \(status.ingestWorkersRunning) running of \(status.ingestWorkersWanted) wanted; "
                + "log level \(status.logLevel)")
        lines.append("sandbox: \(line(status.sandbox))")
        if status.quarantinedIdentities > 0 {
            lines.append("quarantined: \(status.quarantinedIdentities) agent identities")
        }
        if let reload = status.lastReload {
            lines.append(
                "last reload: \(time(of: reload)) " + (reload.isSuccess ? "done" : "failed: \(line(reload.reason))"))
        }
        lines.append("")
        lines += table(status.workers)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func state(of status: ServiceStatus) -> String {
        status.degradedReason != nil && status.phase == .serving ? "degraded" : status.phase.rawValue
    }

    private static let headings = [
        "WORKER", "PID", "STATE", "GENERATION", "UP", "RESTARTS", "AGENTS", "UNCONNECTED", "CONNECTIONS", "RING",
        "LAST END",
    ]
    /// Names, states, ends; all others are figures, which stand at the right.
    private static let leftColumns: Set<Int> = [0, 2, 10]

    private static func table(_ workers: [ServiceStatus.Worker]) -> [String] {
        let rows = [headings] + workers.map(cells)
        let widths = headings.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var cells: [String] = []
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                cells.append(leftColumns.contains(column) ? cell + space : space + cell)
            }
            let joined = cells.joined(separator: "  ")
            return String(joined.reversed().drop { $0 == " " }.reversed())
        }
    }

    private static func cells(_ worker: ServiceStatus.Worker) -> [String] {
        let hasProcess = worker.processID != 0
        var state = worker.state.rawValue
        if let next = worker.nextStartNanoseconds { state += " (\(StatusText.seconds(next)))" }
        var end = worker.lastCause.map(line) ?? "-"
        if worker.deathsInRow > 1 { end += ", \(worker.deathsInRow) in a row" }
        let ingest = worker.ingest.map {
            [
                String($0.agentsOnline), String($0.agentsUnconnected), String($0.connections),
                "\(size($0.ringUsedBytes))/\(size($0.ringBytes))",
            ]
        }
        return [
            worker.name, hasProcess ? String(worker.processID) : "-", state, String(worker.generation),
            hasProcess ? duration(worker.uptimeNanoseconds) : "-", String(worker.restarts),
        ] + (ingest ?? ["-", "-", "-", "-"]) + [end]
    }

    /// `12s`, `3m 5s`, `2h 10m`, `4d 3h`: the two largest units.
    static func duration(_ nanoseconds: UInt64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let parts: [(UInt64, String)] = [
            (seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"),
        ]
        let first = parts.firstIndex { $0.0 > 0 } ?? parts.count - 1
        return parts[first...].prefix(2).filter { $0.0 > 0 || first == parts.count - 1 }
            .map { "\($0.0)\($0.1)" }.joined(separator: " ")
    }

    /// Whole units, rounded down: `16MiB`.
    static func size(_ bytes: Int) -> String {
        let units: [(Int, String)] = [
            (ByteSize.gibibyte, "GiB"), (ByteSize.mebibyte, "MiB"), (ByteSize.kibibyte, "KiB"),
        ]
        // Below ten of a unit the next smaller one says more.
        let unit = units.first { bytes >= $0.0 * 10 } ?? (1, "B")
        return "\(bytes / unit.0)\(unit.1)"
    }

    /// One line, whatever it holds.
    private static func line(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
    }

    private static func time(of reload: ServiceStatus.Reload) -> String {
        RFC3339.text(EpochTime(nanosecondsSinceEpoch: reload.atNanoseconds), fraction: .milliseconds)
    }

    // MARK: For machines

    /// Members are never renamed or removed; new ones may come.
    static func json(_ status: ServiceStatus) -> String {
        var json = JSONWriter(layout: .indented, escapes: .statusReports)
        json.object { json in
            json.member("version", status.version)
            json.member("pid", status.processID)
            json.member("phase", status.phase.rawValue)
            json.member("degraded", status.degradedReason != nil)
            json.member("degraded_reason", optional: status.degradedReason) { $0.string($1) }
            json.member("uptime_seconds") { $0.seconds(nanoseconds: status.uptimeNanoseconds) }
            json.member("grpc_address", status.grpcAddress)
            json.member("grpc_tls_address", optional: status.grpcTLSAddress) { $0.string($1) }
            json.member("http_address", status.httpAddress)
            json.member("sandbox", status.sandbox)
            json.member("log_level", status.logLevel)
            json.member("ingest_workers_wanted", status.ingestWorkersWanted)
            json.member("ingest_workers_running", status.ingestWorkersRunning)
            json.member("quarantined_identities", status.quarantinedIdentities)
            json.member("held_off_identities", status.quarantinedIdentities)  // The name of version 0.1.0.
            json.member("last_reload", optional: status.lastReload) { json, reload in
                json.object { json in
                    json.member("result", reload.isSuccess ? "done" : "failed")
                    json.member("reason", optional: reload.isSuccess ? nil : reload.reason) { $0.string($1) }
                    json.member("time", time(of: reload))
                }
            }
            json.member("workers", list: status.workers) { json, one in json.object { worker(&$0, one) } }
        }
        return json.text + "\n"
    }

    private static func worker(_ json: inout JSONWriter, _ worker: ServiceStatus.Worker) {
        json.member("name", worker.name)
        json.member("pid", worker.processID)
        json.member("state", worker.state.rawValue)
        json.member("generation", worker.generation)
        json.member("uptime_seconds") { $0.seconds(nanoseconds: worker.uptimeNanoseconds) }
        json.member("restarts", worker.restarts)
        json.member("deaths_in_row", worker.deathsInRow)
        json.member("last_end", optional: worker.lastCause) { $0.string($1) }
        if let next = worker.nextStartNanoseconds {
            json.member("next_start_seconds") { $0.seconds(nanoseconds: next) }
        }
        guard let ingest = worker.ingest else { return }
        json.member("agents_online", ingest.agentsOnline)
        json.member("agents_unconnected", ingest.agentsUnconnected)
        json.member("connections", ingest.connections)
        json.member("ring_used_bytes", ingest.ringUsedBytes)
        json.member("ring_bytes", ingest.ringBytes)
        // The names of version 0.1.0, for one version.
        json.member("lane_used_bytes", ingest.ringUsedBytes)
        json.member("lane_bytes", ingest.ringBytes)
    }
}
