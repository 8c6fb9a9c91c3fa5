// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import SupervisorCore

@Suite struct StatusReportTests {
    private var status: ServiceStatus {
        ServiceStatus(
            version: "1.2.3", processID: 4711, phase: .serving, uptimeNanoseconds: 93_784_000_000_000,
            grpcAddress: "[::]:17912", httpAddress: "[::]:17913", logLevel: "info", ingestWorkersWanted: 2,
            workers: [
                .init(
                    name: "ingest-0", processID: 4712, state: .running, generation: 7,
                    uptimeNanoseconds: 61_500_000_000, restarts: 6, lastCause: "SIGKILL",
                    ingest: .init(
                        agentsOnline: 500, agentsUnconnected: 3, connections: 501, ringUsedBytes: 15 << 20,
                        ringBytes: 16 << 20)),
                .init(
                    name: "ingest-1", state: .waiting, generation: 3, restarts: 2, deathsInRow: 3,
                    lastCause: "SIGSEGV (core dumped)", nextStartNanoseconds: 500_000_000),
                .init(name: "exporter", processID: 4714, state: .running, generation: 1, uptimeNanoseconds: 12),
            ])
    }

    @Test func statusReport_textIsATable() throws {
        let text = StatusReport.text(status)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines[0] == "fodc-proxy 1.2.3, process 4711, serving, up 1d 2h")
        #expect(lines[1] == "listening: gRPC [::]:17912, HTTP [::]:17913")
        #expect(lines[2] == "ingest workers: 1 running of 2 wanted; log level info")
        #expect(lines[3] == "sandbox: complete")
        #expect(lines[4] == "")
        #expect(lines[5].split(separator: " ").first == "WORKER")
        #expect(
            lines[6].split(separator: " ")
                == ["ingest-0", "4712", "running", "7", "1m", "1s", "6", "500", "3", "501", "15MiB/16MiB", "SIGKILL"])
        #expect(lines[7].contains("waiting (0.5 s)"))
        #expect(lines[7].hasSuffix("SIGSEGV (core dumped), 3 in a row"))
        #expect(
            lines[8].split(separator: " ")
                == ["exporter", "4714", "running", "1", "0s", "0", "-", "-", "-", "-", "-"])
        #expect(lines[9] == "" && lines.count == 10)
        // The columns stand under each other.
        let column = try #require(lines[5].range(of: "STATE")?.lowerBound.utf16Offset(in: lines[5]))
        for (line, state) in zip(lines[6...8], ["running", "waiting", "running"]) {
            #expect(line.dropFirst(column).hasPrefix(state))
        }
        #expect(lines.allSatisfy { !$0.hasSuffix(" ") })
    }

    @Test func statusReport_listsTheRecorderApartFromIngestWorkers() {
        var status = status
        status.workers.append(.init(name: "recorder", processID: 4715, state: .running))
        #expect(status.ingestWorkersRunning == 1)
    }

    @Test func statusReport_showsProblemsFirst() {
        var status = status
        status.degradedReason = "ingest-1 died\n3 times"
        status.quarantinedIdentities = 2
        status.lastReload = .init(isSuccess: false, reason: "no memory", atNanoseconds: 0)
        let lines = StatusReport.text(status).split(separator: "\n")
        #expect(lines[0].contains(", degraded, up"))
        #expect(lines[1] == "degraded: ingest-1 died 3 times")
        #expect(lines.contains("quarantined: 2 agent identities"))
        #expect(lines.contains("last reload: 1970-01-01T00:00:00.000Z failed: no memory"))
    }

    @Test func statusReport_jsonHasEveryField() throws {
        var status = status
        status.degradedReason = "\"quoted\" \\ \u{1}\u{85}ä"
        status.lastReload = .init(isSuccess: true, atNanoseconds: 1_500_000_000)
        let text = StatusReport.json(status)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(json["version"] as? String == "1.2.3")
        #expect(json["pid"] as? Int == 4711)
        #expect(json["degraded"] as? Bool == true)
        #expect(json["degraded_reason"] as? String == status.degradedReason)
        #expect(json["uptime_seconds"] as? Double == 93_784)
        #expect((json["last_reload"] as? [String: Any])?["result"] as? String == "done")
        #expect((json["last_reload"] as? [String: Any])?["time"] as? String == "1970-01-01T00:00:01.500Z")
        let workers = try #require(json["workers"] as? [[String: Any]])
        #expect(workers.map { $0["name"] as? String } == ["ingest-0", "ingest-1", "exporter"])
        #expect(workers[0]["agents_online"] as? Int == 500)
        #expect(workers[0]["uptime_seconds"] as? Double == 61.5)
        #expect(workers[0]["ring_bytes"] as? Int == 16 << 20 && workers[0]["lane_bytes"] as? Int == 16 << 20)
        #expect(workers[1]["next_start_seconds"] as? Double == 0.5)
        #expect(workers[1]["agents_online"] == nil)
        #expect(workers[2]["last_end"] is NSNull)
        #expect(text.hasSuffix("}\n"))
    }

    /// Programs and people read it; a change of layout is a change of what is promised.
    @Test func statusReport_jsonIsStableByteForByte() {
        var status = status
        status.degradedReason = "\"quoted\" \\ \u{1}\u{85}ä\n"
        status.lastReload = .init(isSuccess: true, atNanoseconds: 1_500_000_000)
        #expect(
            StatusReport.json(status) == #"""
                {
                  "version": "1.2.3",
                  "pid": 4711,
                  "phase": "serving",
                  "degraded": true,
                  "degraded_reason": "\"quoted\" \\ \u0001\u0085ä\u000a",
                  "uptime_seconds": 93784.000,
                  "grpc_address": "[::]:17912",
                  "grpc_tls_address": null,
                  "http_address": "[::]:17913",
                  "sandbox": "complete",
                  "log_level": "info",
                  "ingest_workers_wanted": 2,
                  "ingest_workers_running": 1,
                  "quarantined_identities": 0,
                  "held_off_identities": 0,
                  "last_reload": {
                    "result": "done",
                    "reason": null,
                    "time": "1970-01-01T00:00:01.500Z"
                  },
                  "workers": [
                    {
                      "name": "ingest-0",
                      "pid": 4712,
                      "state": "running",
                      "generation": 7,
                      "uptime_seconds": 61.500,
                      "restarts": 6,
                      "deaths_in_row": 0,
                      "last_end": "SIGKILL",
                      "agents_online": 500,
                      "agents_unconnected": 3,
                      "connections": 501,
                      "ring_used_bytes": 15728640,
                      "ring_bytes": 16777216,
                      "lane_used_bytes": 15728640,
                      "lane_bytes": 16777216
                    },
                    {
                      "name": "ingest-1",
                      "pid": 0,
                      "state": "waiting",
                      "generation": 3,
                      "uptime_seconds": 0.000,
                      "restarts": 2,
                      "deaths_in_row": 3,
                      "last_end": "SIGSEGV (core dumped)",
                      "next_start_seconds": 0.500
                    },
                    {
                      "name": "exporter",
                      "pid": 4714,
                      "state": "running",
                      "generation": 1,
                      "uptime_seconds": 0.000,
                      "restarts": 0,
                      "deaths_in_row": 0,
                      "last_end": null
                    }
                  ]
                }

                """#)
        status.workers = []
        status.lastReload = nil
        #expect(StatusReport.json(status).hasSuffix("  \"last_reload\": null,\n  \"workers\": []\n}\n"))
    }

    @Test func statusReport_jsonHasNullsBeforeTheFirstReload() throws {
        var status = status
        status.workers = []
        let json = try JSONSerialization.jsonObject(with: Data(StatusReport.json(status).utf8)) as? [String: Any]
        #expect((json?["workers"] as? [Any])?.isEmpty == true)
        #expect(json?["last_reload"] is NSNull)
        #expect(!StatusReport.text(status).isEmpty)
    }

    @Test(
        arguments: [
            (0, "0s"), (59, "59s"), (60, "1m"), (61, "1m 1s"), (3600, "1h"), (3605, "1h"), (7260, "2h 1m"),
            (86_400, "1d"),
            (93_784, "1d 2h"),
        ] as [(UInt64, String)])
    func statusReport_formatsDurations(seconds: UInt64, text: String) {
        #expect(StatusReport.duration(seconds * 1_000_000_000) == text)
    }

    @Test(arguments: [(0, "0B"), (10_239, "10239B"), (10_240, "10KiB"), (16 << 20, "16MiB"), (2 << 30, "2048MiB")])
    func statusReport_formatsSizes(bytes: Int, text: String) {
        #expect(StatusReport.size(bytes) == text)
    }
}
