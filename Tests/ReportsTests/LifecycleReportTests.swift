// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports
import Testing

@Suite struct LifecycleReportTests {
    private typealias Group = Banyandb_Fodc_V1_GroupLifecycleInfo

    private func answer(
        _ pod: String, at second: Int64, groups: [Group] = [], reports: [String: String] = [:],
        role: String = "ROLE_DATA"
    ) -> LifecycleReport.Answer {
        let message = Banyandb_Fodc_V1_StreamLifecycleRequest.with {
            $0.podName = "what the agent says"
            $0.lifecycleData.groups = groups
            $0.lifecycleData.reports = reports.map { name, text in .with { ($0.filename, $0.reportJson) = (name, text) }
            }
        }
        return LifecycleReport.Answer(
            reporter: ReportingAgent(agentID: "id-\(pod)", podName: pod, role: role), message: message,
            receivedAtNanoseconds: second)
    }

    private func text(_ report: LifecycleReport) -> String { String(decoding: report.json, as: UTF8.self) }

    private let twoOfTwo = LifecycleReport.ResponseCounts(registered: 2, requested: 2, responded: 2)

    @Test(arguments: [
        (0, 0, 0, "FODC unavailable: no agents registered"),
        (3, 0, 0, "FODC unavailable: 0/3 registered agents support the lifecycle stream"),
        (3, 2, 0, "FODC unavailable: 0/2 requested agents responded"),
    ])
    func lifecycleReport_isEmptyWithoutAnswers(_ registered: Int, _ requested: Int, _ responded: Int, _ error: String) {
        let report = LifecycleReport(
            answers: [], responseCounts: .init(registered: registered, requested: requested, responded: responded))
        #expect(
            text(report)
                == #"{"groups":[],"lifecycle_statuses":[],"agent_summary":{"total":\#(registered),"#
                + #""requested":\#(requested),"responded":0,"not_responded":\#(requested)},"error":"\#(error)"}"#)
    }

    /// The frame of shared/examples/cluster-lifecycle.json; its groups are held against it in `LifecycleJSONTests`.
    @Test func lifecycleReport_hasTheFrameOfTheGoProxy() throws {
        let report = LifecycleReport(
            answers: [answer("a", at: 1, groups: [.with { $0.name = "sw_metrics_0" }])], responseCounts: twoOfTwo)
        let read = try JSONReading.object(report.json)
        #expect(Set(read.keys) == ["agent_summary", "groups", "lifecycle_statuses"])
        let summary = try #require(read["agent_summary"] as? [String: Int])
        #expect(summary == ["total": 2, "requested": 2, "responded": 2, "not_responded": 0])
        #expect((read["lifecycle_statuses"] as? [Any])?.isEmpty == true)
        #expect(
            text(report).contains(
                #"{"name":"sw_metrics_0","catalog":"","resource_opts":null,"data_info":[],"errors":[],"#
                    + #""schema_consistency":null}"#))
    }

    @Test func lifecycleReport_prefersTheLaterAgentAndMergesErrors() {
        let report = LifecycleReport(
            answers: [
                answer(
                    "late", at: 9,
                    groups: [
                        .with { ($0.name, $0.catalog, $0.errors) = ("g", "late", ["b", "a"]) }, .with { $0.name = "f" },
                    ]),
                answer(
                    "early", at: 1, groups: [.with { ($0.name, $0.catalog, $0.errors) = ("g", "early", ["c", "b"]) }]),
            ], responseCounts: twoOfTwo)
        #expect(
            text(report).contains(
                #"{"name":"g","catalog":"late","resource_opts":null,"data_info":[],"errors":["a","b","c"]"#))
        #expect(!text(report).contains("early"))
        #expect(text(report).hasPrefix(#"{"groups":[{"name":"f""#))
    }

    private func data(_ nodes: KeyValuePairs<String, Int64>) -> [Banyandb_Database_V1_DataInfo] {
        nodes.map { name, size in
            .with {
                $0.node.metadata.name = name
                $0.dataSizeBytes = size
            }
        }
    }

    /// Agents' knowledge of a group, whatever order they answer in.
    @Test func lifecycleReport_mergesGroupsInAnyOrderOfAnswers() throws {
        var options = Banyandb_Common_V1_ResourceOpts()
        options.shardNum = 7
        let liaison = Group.with { ($0.name, $0.catalog, $0.resourceOpts) = ("g", "CATALOG_MEASURE", options) }
        let first = Group.with { ($0.name, $0.dataInfo) = ("g", data(["n1": 1])) }
        let second = Group.with {
            ($0.name, $0.catalog, $0.dataInfo) = ("g", "CATALOG_UNSPECIFIED", data(["n2": 2, "n1": 3]))
        }
        let other = Group.with {
            ($0.name, $0.catalog) = ("g", "CATALOG_STREAM")
            $0.resourceOpts.shardNum = 1
        }
        var shown: Set<String> = []
        for times: [Int64] in [[1, 2, 3, 4], [4, 1, 2, 3], [3, 4, 5, 1]] {
            let report = LifecycleReport(
                answers: [
                    answer("l", at: times[0], groups: [liaison], role: "ROLE_LIAISON"),
                    answer("a", at: times[1], groups: [first]), answer("b", at: times[2], groups: [second]),
                    answer("c", at: times[3], groups: [other]),
                ].shuffled(), responseCounts: twoOfTwo)
            shown.insert(text(report))
        }
        #expect(shown.count == 1)
        let json = try #require(shown.first)
        #expect(json.contains(#""name":"g","catalog":"CATALOG_MEASURE","resource_opts":{"shard_num":7,"#))
        #expect(
            json.components(of: #""data_size_bytes":""#) == ["3", "2"], "of a node the newest, in the order of names")
    }

    @Test func lifecycleReport_prefersTheNewestLiaison() {
        let groups = ["old", "new"].map { catalog in Group.with { ($0.name, $0.catalog) = ("g", catalog) } }
        for flipped in [false, true] {
            let report = LifecycleReport(
                answers: [
                    answer("l1", at: flipped ? 9 : 1, groups: [groups[flipped ? 1 : 0]], role: "ROLE_LIAISON"),
                    answer("l2", at: flipped ? 1 : 9, groups: [groups[flipped ? 0 : 1]], role: "ROLE_LIAISON"),
                ], responseCounts: twoOfTwo)
            #expect(text(report).contains(#""catalog":"new""#))
        }
    }

    /// Names that Swift's `String` takes for one; and nodes without a name, which nothing tells apart.
    @Test func lifecycleReport_distinguishesNodesByTheirBytes() {
        let group = Group.with {
            $0.name = "g"
            $0.dataInfo =
                data(["\u{e9}": 1, "e\u{301}": 2]) + [.with { $0.dataSizeBytes = 3 }, .with { $0.dataSizeBytes = 4 }]
            $0.dataInfo.append(
                .with {
                    $0.node.grpcAddress = "address"
                    $0.dataSizeBytes = 5
                })
        }
        let report = LifecycleReport(answers: [answer("a", at: 1, groups: [group])], responseCounts: twoOfTwo)
        #expect(text(report).components(of: #""data_size_bytes":""#) == ["5", "2", "1", "3", "4"])
    }

    @Test func lifecycleReport_listsStatusesOfAgentsWithReports() {
        let odd = #"{"a":"\#n"}"#
        let report = LifecycleReport(
            answers: [
                answer("b", at: 1, reports: ["f.json": odd]), answer("a", at: 2),
                answer("0", at: 3, reports: ["g": ""]),
            ],
            responseCounts: twoOfTwo)
        #expect(
            text(report).contains(
                #""lifecycle_statuses":[{"pod_name":"0","reports":[{"filename":"g","#
                    + #""report_json":""}]},{"pod_name":"b","#
                    + #""reports":[{"filename":"f.json","report_json":"{\"a\":\"\n\"}"}]}]"#))
    }

    @Test func lifecycleReport_dropsAndCountsGroupsWithoutAName() {
        let report = LifecycleReport(
            answers: [answer("a", at: 1, groups: [.init(), .with { $0.name = "g" }, .with { $0.catalog = "c" }])],
            responseCounts: twoOfTwo)
        #expect(report.droppedGroups == 2)
        #expect(text(report).contains(#"{"groups":[{"name":"g","#))
    }

    @Test func lifecycleReport_computesTheConsistencyStatusItself() throws {
        let sound = Group.with {
            $0.name = "g"
            $0.schemaConsistency = SchemaRounds.sent(["m/a": ["n1": (1, 1)]])
            // An agent's own status counts for nothing.
            $0.schemaConsistency.status = .inconsistent
        }
        let other = Group.with {
            $0.name = "g"
            $0.schemaConsistency = SchemaRounds.sent(["m/a": ["n2": (1, 1)]])
        }
        let silent = Group.with { $0.name = "without" }
        var consistency = SchemaConsistency()
        var report = LifecycleReport(
            answers: [answer("a", at: 1, groups: [sound, silent]), answer("b", at: 2, groups: [other])],
            responseCounts: twoOfTwo)
        #expect(!text(report).contains("fingerprint"))
        report.judge(by: &consistency, registry: SchemaRounds.registry(["m/a": 1]))
        #expect(
            text(report).contains(
                #""schema_consistency":{"status":"CONSISTENCY_STATUS_CONSISTENT","objects":[{"kind":"m","name":"a","#
                    + #""registry_fingerprint":"1","node_fingerprints":[{"node":"n1","cache_fingerprint":"1","#
                    + #""runtime_fingerprint":"1"},{"node":"n2","cache_fingerprint":"1","runtime_fingerprint":"1"}]}],"#
                    + #""issues":[]}"#))
        #expect(
            text(report).contains(
                #"{"name":"without","catalog":"","resource_opts":null,"data_info":[],"errors":[],"#
                    + #""schema_consistency":null}"#
            ))
        #expect(consistency.gaugeValues.map(\.group) == ["g"])
    }

    @Test func lifecycleReport_isUnknownWhenAgentsOrTheRegistryAreMissing() {
        let group = Group.with {
            $0.name = "g"
            $0.errors = ["own"]
            $0.schemaConsistency = SchemaRounds.sent(["m/a": ["n": (1, 1)]])
        }
        var consistency = SchemaConsistency()
        var short = LifecycleReport(
            answers: [answer("a", at: 1, groups: [group])],
            responseCounts: .init(registered: 2, requested: 2, responded: 1))
        short.judge(by: &consistency, registry: SchemaRounds.registry(["m/a": 1]))
        #expect(text(short).contains("CONSISTENCY_STATUS_UNKNOWN") && text(short).contains(#""not_responded":1"#))
        var away = LifecycleReport(answers: [answer("a", at: 1, groups: [group])], responseCounts: twoOfTwo)
        away.judge(by: &consistency, registry: .noLiaison)
        #expect(text(away).contains(#""errors":["own","registry unavailable: no schema-serving"#))
        #expect(
            text(away).contains(
                #""schema_consistency":{"status":"CONSISTENCY_STATUS_UNKNOWN","objects":[],"issues":[]}"#))
    }
}

extension String {
    /// The digits behind each occurrence of a text.
    fileprivate func components(of text: String) -> [String] {
        var found: [String] = []
        var rest = Substring(self)
        while let range = rest.firstRange(of: text) {
            rest = rest[range.upperBound...]
            found.append(String(rest.prefix { $0.isNumber }))
        }
        return found
    }
}
