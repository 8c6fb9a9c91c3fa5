// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports
import SwiftProtobuf
import Testing

/// `/diagnostics` and `/pressure-profiles`.
@Suite struct RecordReportTests {
    private typealias Crash = Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest

    private let hot = ReportingAgent(
        agentID: "b6e35f03-f22d-4c99-8322-d467ec3ecc1a", podName: "banyandb-data-hot-0", role: "ROLE_DATA")
    private let other = ReportingAgent(agentID: "other", podName: "banyandb-data-hot-1", role: "ROLE_DATA")

    private func time(_ seconds: Int64, _ nanos: Int32 = 0) -> Google_Protobuf_Timestamp {
        .with { ($0.seconds, $0.nanos) = (seconds, nanos) }
    }

    private func text(_ json: [UInt8]) -> String { String(decoding: json, as: UTF8.self) }

    /// shared/examples/diagnostics.json, as the Go proxy wrote it.
    @Test func recordReport_writesDiagnosticsLikeTheGoProxy() throws {
        let crash = Crash.with {
            $0.fetchedAt = time(1_795_397_520, 837_345_222)
            $0.sourceEndpoint = "fodc-agent"
            $0.artifactDir = "in-process-merge-loop-2026-11-23T01:32:00.837345222Z"
            $0.panicRecord = .with {
                $0.component = "merge-loop"
                $0.goroutineStack = "goroutine 42 [running]:\nmain.f()\n"
                $0.panicValue = "index out of range [3] with length 3"
                $0.occurredAt = time(1_795_397_520, 837_345_222)
                $0.processMetadata = ["pod": "banyandb-data-hot-0"]
                $0.recovered = true
                $0.breadcrumbs = [
                    .with {
                        $0.time = time(1_795_397_520, 837_345_342)
                        $0.fields = ["part": "7"]
                        $0.stage = "flush"
                        $0.component = "merge-loop"
                    }
                ]
            }
        }
        let report = DiagnosticsReport(records: [.init(reporter: hot, message: crash, receivedAtNanoseconds: 1)])
        #expect(
            text(report.json)
                == #"[{"fetched_at":"2026-11-23T01:32:00.837345222Z","#
                + #""panic_record":{"component":"merge-loop","goroutine_stack":"#
                + #""goroutine 42 [running]:\nmain.f()\n","panic_value":"index out of range [3] with length 3","#
                + #""occurred_at":"2026-11-23T01:32:00.837345222Z","process_metadata":{"pod":"banyandb-data-hot-0"},"#
                + #""breadcrumbs":[{"occurred_at":"2026-11-23T01:32:00.837345342Z","#
                + #""fields":{"part":"7"},"stage":"flush","#
                + #""component":"merge-loop"}],"recovered":true},"agent_id":"b6e35f03-f22d-4c99-8322-d467ec3ecc1a","#
                + #""pod_name":"banyandb-data-hot-0","role":"ROLE_DATA","source_endpoint":"fodc-agent","#
                + #""artifact_dir":"in-process-merge-loop-2026-11-23T01:32:00.837345222Z"}]"#)
    }

    @Test func recordReport_writesTheRequiredFieldsOfACrashRecord() {
        func json(_ change: (inout Crash) -> Void) -> String {
            var crash = Crash.with { $0.artifactDir = "d" }
            change(&crash)
            return text(
                DiagnosticsReport(records: [.init(reporter: other, message: crash, receivedAtNanoseconds: 1)]).json)
        }
        let tail =
            #""agent_id":"other","pod_name":"banyandb-data-hot-1","role":"ROLE_DATA","#
            + #""source_endpoint":"","artifact_dir":"d""#
        #expect(json { _ in } == #"[{"fetched_at":"0001-01-01T00:00:00Z",\#(tail)}]"#)
        #expect(
            json {
                $0.files = ["f"]
                $0.panicRecord.breadcrumbs = [.init()]
            }
                == #"[{"fetched_at":"0001-01-01T00:00:00Z","panic_record":{"component":"","panic_value":"","#
                + #""occurred_at":"0001-01-01T00:00:00Z","#
                + #""breadcrumbs":[{"occurred_at":"0001-01-01T00:00:00Z","stage":""}],"recovered":false},\#(tail),"files":["f"]}]"#
        )
    }

    @Test func recordReport_ordersAndLimitsCrashRecords() throws {
        func record(_ reporter: ReportingAgent, _ dir: String, fetched: Int64, received: Int64, endpoint: String = "")
            -> DiagnosticsReport.Record
        {
            let crash = Crash.with {
                $0.artifactDir = dir
                $0.fetchedAt = time(fetched)
                $0.sourceEndpoint = endpoint
            }
            return .init(reporter: reporter, message: crash, receivedAtNanoseconds: received)
        }
        let few = DiagnosticsReport(records: [
            record(hot, "a", fetched: 5, received: 2, endpoint: "later"),
            record(hot, "a", fetched: 9, received: 1, endpoint: "sooner"),
            record(other, "a", fetched: 7, received: 1), record(hot, "", fetched: 99, received: 1),
            record(hot, "b", fetched: 6, received: 1),
        ])
        #expect(few.droppedRecords == 1)
        let shown = try JSONReading.objects(few.json)
        #expect(shown.map { $0["fetched_at"] as? String } == ["7", "6", "5"].map { "1970-01-01T00:00:0\($0)Z" })
        #expect(shown.last?["source_endpoint"] as? String == "later")

        let many = (0..<100).map { record(hot, "\($0)", fetched: Int64($0), received: 1) }
        let kept = try JSONReading.objects(
            DiagnosticsReport(records: many + [record(other, "x", fetched: 0, received: 1)]).json)
        #expect(kept.count == DiagnosticsReport.recordsPerAgent + 1)
        #expect(kept.first?["artifact_dir"] as? String == "99")
        #expect(kept.last?["artifact_dir"] as? String == "x")
    }

    /// shared/examples/pressure-profiles.json, as the Go proxy wrote it.
    @Test func recordReport_writesPressureProfilesLikeTheGoProxy() {
        let directory = "/tmp/pressure-profiles/20260821T101112.000000000Z"
        let record = Banyandb_Fodc_V1_PressureProfileRecord.with {
            $0.capturedAt = time(1_787_307_072)
            $0.profileID = "20260821T101112.000000000Z"
            $0.sourceEndpoint = "http://localhost:6060"
            $0.profiles = [("heap", Int64(3_145_728)), ("goroutine", 40)].map { type, size in
                .with {
                    $0.type = type
                    $0.filename = "\(type).pprof"
                    $0.filepath = "\(directory)/\(type).pprof"
                    $0.format = "pprof"
                    $0.sizeBytes = size
                }
            }
            $0.rssBytes = 3_221_225_472
            $0.cgroupLimitBytes = 4_294_967_296
            $0.thresholdBytes = 3_221_225_472
            $0.triggerPercent = 75
        }
        let report = PressureReport(lists: [.init(reporter: hot, records: [record])])
        #expect(
            text(report.json)
                == #"[{"captured_at":"2026-08-21T10:11:12Z","agent_id":"b6e35f03-f22d-4c99-8322-d467ec3ecc1a","#
                + #""pod_name":"banyandb-data-hot-0","role":"ROLE_DATA","profile_id":"20260821T101112.000000000Z","#
                + #""source_endpoint":"http://localhost:6060","profiles":[{"type":"heap","filename":"heap.pprof","#
                + #""filepath":"/tmp/pressure-profiles/20260821T101112.000000000Z/heap.pprof","format":"pprof","#
                + #""size_bytes":3145728},{"type":"goroutine","filename":"goroutine.pprof","#
                + #""filepath":"/tmp/pressure-profiles/20260821T101112.000000000Z/goroutine.pprof","format":"pprof","#
                + #""size_bytes":40}],"rss_bytes":3221225472,"cgroup_limit_bytes":4294967296,"#
                + #""threshold_bytes":3221225472,"trigger_percent":75}]"#)
    }

    @Test func recordReport_ordersCapturesNewestFirst() throws {
        func record(_ id: String, _ second: Int64, rss: UInt64 = 0) -> Banyandb_Fodc_V1_PressureProfileRecord {
            .with { ($0.profileID, $0.capturedAt, $0.rssBytes) = (id, time(second), rss) }
        }
        let report = PressureReport(lists: [
            .init(reporter: hot, records: [record("p", 1), record("", 9), record("q", 3), record("p", 2, rss: 7)]),
            .init(reporter: other, records: [record("p", 2)]),
            .init(reporter: other, records: [.with { $0.profileID = "z" }]),
        ])
        #expect(report.droppedRecords == 1)
        let shown = try JSONReading.objects(report.json)
        #expect(shown.map { $0["profile_id"] as? String } == ["q", "p", "p", "z"])
        #expect(shown.map { $0["rss_bytes"] as? Int } == [0, 7, 0, 0])
        #expect(shown.last?["captured_at"] as? String == "0001-01-01T00:00:00Z")
        #expect((shown.last?["profiles"] as? [Any])?.isEmpty == true)
        #expect(text(PressureReport(lists: []).json) == "[]")
    }
}
