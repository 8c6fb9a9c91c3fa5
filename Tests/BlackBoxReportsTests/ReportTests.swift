// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Testing

@testable import BlackBoxReports

struct ReportTests {
    @Test func nodesReport_hasLiveAndGoneNodes() throws {
        let box = try RecordedBox()
        let gone = try box.record("pod-b", ["value", "other"], samples: 40) { _, sample in Double(sample) }
        _ = try box.record("pod-a", ["value"], samples: 1) { _, _ in 0 }
        try box.store.transaction { () throws(DatabaseError) in
            try box.store.noteNodeGone(gone, atNanoseconds: (beginSeconds + 400) * second, cause: .heartbeatMissed)
        }
        _ = try box.incident(.nodeGone, "pod-b", gone, at: 400)
        let json = text(try NodesReport.json(try box.reader()))
        #expect(
            json.contains(
                #""state":"gone","gone_at":"2026-11-30T00:06:40Z","gone_reason":"heartbeat missed","gone_count":1"#))
        #expect(json.contains(#""last_sample":"2026-11-30T00:06:30Z","series":2,"samples":80,"#), "\(json)")
        #expect(
            json.contains(
                #""pod_name":"pod-a","agent_id":"id-of-pod-a","role":"ROLE_DATA","state":"live","gone_at":null"#))
        #expect(json.contains(#""incidents":1,"nodes":[{"pod_name":"pod-a""#))
    }

    @Test func incidents_areFiltered() throws {
        let box = try RecordedBox()
        let node = try box.record("pod-a", ["value"], samples: 1) { _, _ in 0 }
        let first = try box.incident(.nodeGone, "pod-a", node, at: 0)
        let second = try box.incident(.crash, "pod-a", node, at: 100, isOpen: false)
        let third = try box.incident(.workerCrashed, "", nil, at: 200, isOpen: false)
        let reader = try box.reader()
        func found(_ change: (inout IncidentQuery) -> Void) throws -> [String] {
            var query = IncidentQuery()
            change(&query)
            return try reader.incidents(query).found.map(\.id)
        }
        let at = { (seconds: Int64) in (beginSeconds + seconds) * 1_000_000_000 }
        #expect(try found { _ in } == [third.id, second.id, first.id])
        #expect(try found { $0.kind = .crash } == [second.id])
        #expect(try found { $0.podName = "pod-a" } == [second.id, first.id])
        // The first is open still.
        #expect(try found { $0.sinceNanoseconds = at(150) } == [third.id, first.id])
        #expect(try found { $0.untilNanoseconds = at(100) } == [second.id, first.id])
        #expect(try found { $0.limit = 1 } == [third.id])
        var one = IncidentQuery()
        one.limit = 1
        #expect(text(try IncidentsReport.json(one, reader)).hasPrefix(#"{"total":3,"incidents":[{"id":""#))
    }

    @Test func incident_tellsWhatWasKept() throws {
        let box = try RecordedBox()
        let node = try box.record("pod/a", ["value"], samples: 10) { _, _ in 0 }
        let other = try box.record("pod-b", ["value"], samples: 10) { _, _ in 0 }
        let incident = try box.incident(.nodeGone, "pod/a", node, at: 100, neighbours: [other])
        let json = text(try #require(try IncidentsReport.json(ofIncident: incident.id, try box.reader())))
        #expect(json.contains(#""kept":[{"pod_name":"pod/a""#), "\(json)")
        #expect(json.contains(#"{"pod_name":"pod-b","agent_id":"id-of-pod-b""#))
        #expect(json.contains(#""from":"2026-11-29T23:46:40Z","until":"2026-11-30T00:06:40Z""#))
        #expect(json.contains(#""bundle":"/incidents/\#(incident.id)/bundle""#))
        #expect(
            json.contains(
                #""samples":"/black-box/pod%2Fa?start=2026-11-29T23:46:40.000Z&end=2026-11-30T00:06:40.000Z""#))
        #expect(try IncidentsReport.json(ofIncident: "x", try box.reader()) == nil)
    }

    @Test func summary_showsRatesAndPeaks() throws {
        let box = try RecordedBox()
        try box.record(
            "pod-a", ["process_cpu_seconds_total", "go_goroutines", "something_else"], samples: 91
        ) { metric, sample in
            // The counter rises by half a second a second, and begins anew in the middle.
            metric == 0 ? Double(sample % 50) * 5 : metric == 1 ? (sample == 40 ? 900 : 10) : 1
        }
        let reader = try box.reader()
        let nodes = try reader.nodes(ofPod: "pod-a")
        let summary = try NodeSummary(
            nodes, fromNanoseconds: beginSeconds * second, untilNanoseconds: (beginSeconds + 900) * second, reader)
        let json = text(summary.json)
        #expect(
            json.contains(#""charts":[{"id":"cpu","title":"CPU","unit":"cores","lines":[{"name":"used","#), "\(json)")
        #expect(json.contains("[\(beginSeconds + 10),0.5],[\(beginSeconds + 20),0.5]"))
        // From 245 s back to 0: nothing is known to have been used.
        #expect(json.contains("[\(beginSeconds + 500),0]"))
        #expect(json.contains("[\(beginSeconds + 400),900]"))
        #expect(!json.contains("something_else") && !json.contains("\"disk\""))
    }

    @Test func summary_isThinnedOut() throws {
        let box = try RecordedBox()
        try box.record("pod-a", ["go_goroutines"], samples: 2000) { _, sample in sample == 777 ? 5000 : 1 }
        let reader = try box.reader()
        let summary = try NodeSummary(
            try reader.nodes(ofPod: "pod-a"), fromNanoseconds: beginSeconds * second,
            untilNanoseconds: (beginSeconds + 20_000) * second, reader)
        let points = text(summary.json).split(separator: "[", omittingEmptySubsequences: false)
        #expect((200...260).contains(points.count))
        #expect(text(summary.json).contains(",5000]"), "the peak stays")
    }
}
