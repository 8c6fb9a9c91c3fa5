// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings
import Testing

@testable import ExporterCore

/// Answers about the service and its agents that ask nobody.
@Suite struct StatePagesTests {
    private func started() throws -> ExporterHarness {
        let harness = try ExporterHarness()
        let workers = try [FakeIngest(0), FakeIngest(1)]
        try workers[0].enter(AgentID(high: 1, low: 1), pod: "pod-a", registeredAt: 1_700_000_000_000_000_000)
        try workers[1].enter(AgentID(high: 1, low: 2), pod: "pod-b", status: .unconnected)
        try harness.start(workers)
        return harness
    }

    @Test func proxyState_tellsOfProcessesAndRings() throws {
        let harness = try started()
        let (head, body) = parts(of: Array(harness.get("/proxy").utf8))
        #expect(head.hasPrefix("HTTP/1.1 200 OK"))
        let text = String(decoding: body, as: UTF8.self)
        for member in [
            #""agents_online":1,"agents_total":2,"#, #""name":"supervisor","#, #""name":"ingest-1","#,
            #""rings":[{"worker":"ingest-0","#, #"{"worker":"ingest-1","#, #""reloads":{"succeeded":0,"failed":0,"#,
            #""http":{"connections":1,"#, #""certificates":[]"#,
        ] {
            #expect(text.contains(member), "\(member) in \(text)")
        }
    }

    @Test func proxyState_tellsWhyAWorkerEnded() throws {
        let harness = try started()
        var row = harness.control.worker(.ingest, 1)
        (row.state, row.deathsInRow) = (.starting, 2)
        for _ in 0..<3 { row.addRestart(after: .signal) }
        (row.cause, row.causeDetail, row.diedAtNanoseconds) = (.signal, 9, 1_700_000_000_000_000_000)
        harness.control.set(row, .ingest, 1)
        let text = harness.get("/proxy")
        #expect(
            text.contains(#""restarts":3,"restarts_by_cause":{"signal":3},"#) && text.contains(#""deaths_in_row":2,"#),
            "\(text)")
        #expect(text.contains(#""detail":9,"at":"2023-11-14T22:13:20Z"}"#), "\(text)")
    }

    @Test func fleet_listsAgentsWithTheirStates() throws {
        let harness = try started()
        let text = harness.get("/fleet")
        let failing = try #require(text.range(of: #"{"node_id":"pod-b","#))
        let healthy = try #require(text.range(of: #"{"node_id":"pod-a","#))
        #expect(failing.lowerBound < healthy.lowerBound)
        #expect(text.contains(#""registered_at":"2023-11-14T22:13:20Z""#), "\(text)")
        #expect(text.contains(#""matching":2,"#) && text.contains(#""next_cursor":null,"recording":false"#), "\(text)")
        let one = harness.get("/fleet?limit=1")
        #expect(one.contains(#""matching":2,"#) && !one.contains(#""next_cursor":null"#) && !one.contains("pod-a"))
        #expect(harness.get("/fleet?state=online").contains(#""matching":1,"#))
    }

    @Test func fleet_isATableForSpreadsheets() throws {
        let harness = try started()
        let (head, body) = parts(of: Array(harness.get("/fleet?format=csv").utf8))
        #expect(head.contains("Content-Type: text/csv"))
        let lines = String(decoding: body, as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("node_id,"), "\(lines)")
    }
}
