// SPDX-License-Identifier: Apache-2.0
import Calendar
import JSONWriting

/// The answer of `/fleet`.
enum FleetReport {
    /// - Parameter isRecording: whether there is a black box.
    static func json(
        _ selection: FleetSelection, _ tracks: [String: FleetHistory.Track], isRecording: Bool
    ) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.member("nodes", list: selection.rows) { json, row in
                json.object { append(row, tracks[row.podName], to: &$0) }
            }
            json.member("matching", selection.matching)
            json.member("counts") { json in
                json.object { json in
                    for state in NodeState.allCases {
                        json.member(named: state.rawValue) { $0.number(selection.counts[state] ?? 0) }
                    }
                }
            }
            json.member("roles", selection.roles)
            json.member("tiers", selection.tiers)
            json.member("next_cursor", optional: selection.next) { $0.string("\($1)") }
            json.member("recording", isRecording)
            json.member("history_interval_seconds", FleetHistory.intervalNanoseconds / 1_000_000_000)
        }
        json.raw(Array("\n".utf8))
        return json.bytes
    }

    private static func append(_ row: FleetRow, _ track: FleetHistory.Track?, to json: inout JSONWriter) {
        json.member("node_id", row.podName)
        json.member("agent_id", row.agentID)
        json.member("node_role", row.role)
        json.member("tier", row.tier)
        json.member("zone", row.zone)
        json.member("address", row.address)
        json.member("state", row.state.rawValue)
        json.member("why", row.why)
        json.member("since", optional: row.sinceNanoseconds == 0 ? nil : row.sinceNanoseconds, time)
        json.member("streams", row.streams)
        json.member("ingest_worker", optional: row.ingestWorker) { $0.number($1) }
        json.member("registered_at", optional: row.registeredAtNanoseconds, time)
        json.member("last_sample_at", optional: row.lastSampleAtNanoseconds, time)
        json.member("series", row.series)
        json.member("restarts", optional: row.restarts) { $0.number($1) }
        json.member("open_incidents", optional: row.openIncidents) { $0.number($1) }
        json.member("memory_bytes") { points(track?.memoryBytes ?? [], scale: 1, to: &$0) }
        json.member("cpu_millicores") { points(track?.cpuCores ?? [], scale: 1000, to: &$0) }
    }

    private static func time(_ json: inout JSONWriter, _ nanoseconds: Int64) {
        json.time(EpochTime(nanosecondsSinceEpoch: nanoseconds))
    }

    private static func points(_ values: [Float], scale: Float, to json: inout JSONWriter) {
        json.array(values) { json, value in
            if let whole = Int64(exactly: (value * scale).rounded()) { json.number(whole) } else { json.null() }
        }
    }
}
