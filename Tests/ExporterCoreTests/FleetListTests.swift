// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Testing

@testable import ExporterCore

@Suite struct FleetListTests {
    private static let second: Int64 = 1_000_000_000

    private func row(
        _ pod: String, _ state: NodeState = .online, tier: String = "hot", lastSample: Int64? = 1000, series: Int = 5,
        streams: [String] = ["registration", "metrics"]
    ) -> FleetRow {
        FleetRow(
            podName: pod, agentID: "id-\(pod)", role: "ROLE_DATA", tier: tier, zone: "a", address: "10.0.0.1:1",
            state: state, streams: streams, ingestWorker: 0, registeredAtNanoseconds: 900 * Self.second,
            lastSampleAtNanoseconds: lastSample.map { $0 * Self.second }, series: series)
    }

    private func filter(_ query: [(String, String)]) throws -> FleetFilter {
        try FleetFilter.parse(
            HTTPRequest(path: "/fleet", query: query.map { HTTPQueryParameter(name: $0.0, value: $0.1) })
        ).get()
    }

    @Test func fleet_callsANodeSilentThatLagsBehindTheOthers() {
        let rows = FleetList.withSilentOnes([
            row("a"), row("b", lastSample: 941), row("c", lastSample: 939), row("d", lastSample: nil),
            row("e", streams: ["registration"]), row("f", .unconnected, lastSample: 1),
        ])
        #expect(rows.map(\.state) == [.online, .online, .silent, .silent, .silent, .unconnected])
        #expect(rows[2].sinceNanoseconds == 939 * Self.second && rows[4].why == "no metrics stream is open")
        // When nobody asks, nobody is silent.
        #expect(FleetList.withSilentOnes([row("a", lastSample: 1)]).map(\.state) == [.online])
    }

    @Test func fleet_hasFailingNodesFirst() {
        let rows = [row("a"), row("b", .gone), row("c", .unconnected), row("d", .silent), row("e", .gone)]
        let sorted = FleetList.inOrder(rows)
        #expect(sorted.prefix(4).allSatisfy { $0.state != .online } && sorted.map(\.podName).last == "a")
        #expect(sorted.filter { $0.state == .gone }.map(\.podName) == ["b", "e"])
    }

    @Test func fleetSelection_filtersSortsAndPages() throws {
        let rows = [row("z", .gone, series: 1), row("a", series: 7), row("B", tier: "cold", series: 3)]
        func pods(_ query: [(String, String)]) throws -> [String] {
            FleetSelection(rows, try filter(query), [:]).rows.map(\.podName)
        }
        #expect(try pods([]) == ["z", "a", "B"])
        #expect(try pods([("state", "failing")]) == ["z"] && pods([("state", "online")]) == ["a", "B"])
        #expect(
            try pods([("text", "b")]) == ["B"] && pods([("tier", "COLD")]) == ["B"]
                && pods([("role", "data")]).count == 3)
        #expect(try pods([("sort", "series")]) == ["a", "B", "z"] && pods([("sort", "-series")]) == ["z", "B", "a"])
        #expect(try pods([("sort", "name"), ("limit", "1"), ("cursor", "1")]) == ["a"])
        let page = FleetSelection(rows, try filter([("limit", "2")]), [:])
        #expect(page.next == 2 && page.matching == 3 && page.counts == [.gone: 1, .online: 2])
        #expect(FleetSelection(rows, try filter([("limit", "2"), ("cursor", "2")]), [:]).next == nil)
        #expect(FleetSelection(rows, try filter([("cursor", "99")]), [:]).rows.isEmpty)
        // From page to page every node comes once.
        var (seen, cursor): ([String], Int?) = ([], 0)
        while let start = cursor {
            let page = FleetSelection(rows, try filter([("limit", "1"), ("cursor", "\(start)")]), [:])
            seen += page.rows.map(\.podName)
            cursor = page.next
        }
        #expect(seen == ["z", "a", "B"])
    }

    @Test(arguments: [
        ("state", "bad", "state \"bad\" must be failing, gone"), ("sort", "up", "sort \"up\" must be one of state"),
        ("limit", "0", "limit \"0\" must be 1 to 1000"), ("limit", "1001", "must be 1 to 1000"),
        ("cursor", "-1", "cursor \"-1\" must be the next_cursor"),
    ])
    func fleetFilter_namesTheValueThatIsWrong(name: String, value: String, text: String) {
        let mistake = #expect(throws: RequestMistake.self) { try filter([(name, value)]) }
        #expect(mistake?.text.contains(text) == true)
    }

    @Test func fleetCSV_quotesTextsAndStopsFormulas() throws {
        var bad = row("=1+\"1\",\n", .gone, lastSample: nil)
        (bad.zone, bad.restarts) = ("-2", 3)
        let lines = FleetCSV.text([bad], [:]).split(separator: "\r\n")
        #expect(lines.count == 2 && lines[0].hasPrefix("node_id,agent_id,node_role,tier,zone,"))
        #expect(
            lines[1].hasPrefix("\"'=1+\"\"1\"\",\n\",\"id-=1+\"\"1\"\",\n\",\"ROLE_DATA\",\"hot\",\"'-2\","),
            "\(lines[1])")
        #expect(lines[1].hasSuffix(",1970-01-01T00:15:00Z,,5,3,,,"))
        #expect(lines[0].split(separator: ",").count == 18)
        #expect(try filter([("format", "csv")]).isCSV && !filter([("format", "json")]).isCSV)
        #expect(throws: RequestMistake.self) { try filter([("format", "xml")]) }
    }

    @Test func nodeRates_needTwoReadings() {
        var first = NodeReading(atNanoseconds: 0, memoryBytes: 1, cpuSeconds: 10)
        first.calls["b"] = .init(finished: 100, failed: 10, latencySeconds: 4, timedCalls: 100)
        var second = NodeReading(atNanoseconds: 10 * Self.second, memoryBytes: 1, cpuSeconds: 15)
        second.calls["b"] = .init(finished: 200, failed: 15, latencySeconds: 9, timedCalls: 200)
        second.calls["new"] = .init(finished: 5)
        let rates = NodeRates(from: first, to: second)
        #expect(rates.cpuCores == 0.5 && rates.calls.count == 1)
        #expect(rates.calls["b"] == .init(perSecond: 10, failedShare: 0.05, latencySeconds: 0.05))
        // A process that began anew, and a clock that went back.
        var anew = first
        anew.atNanoseconds = 20 * Self.second
        #expect(NodeRates(from: second, to: anew).cpuCores == nil && NodeRates(from: second, to: anew).calls.isEmpty)
        #expect(NodeRates(from: second, to: first).calls.isEmpty)
    }

    @Test func fleetPage_escapesHostileNames() throws {
        let hostile = "<script>alert(1)</script>\"'&"
        var bad = row(hostile, .gone)
        (bad.why, bad.zone) = (hostile, hostile)
        let filter = try filter([("text", "<script>")])
        var markup = Markup()
        FleetPage(
            selection: FleetSelection([bad], filter, [:]), filter: filter, tracks: [:],
            nowNanoseconds: 2000 * Self.second
        ).append(to: &markup)
        #expect(
            !markup.source.contains("<script")
                && markup.source.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"))
        #expect(markup.source.contains("href=\"node?pod_name=%3Cscript%3Ealert%281%29%3C%2Fscript%3E%22%27%26\""))
    }
}
