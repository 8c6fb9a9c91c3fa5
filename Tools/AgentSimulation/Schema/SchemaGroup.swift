// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// One group: its objects, how its data is cut into segments and shards, and how long it is kept at which stage.
struct SchemaGroup: Sendable, Equatable {
    let name: String
    let catalog: String
    let shardCount: Int
    let segmentDays: Int
    /// Segments that a node of each stage has at most: the newest on hot nodes, the next older ones on warm nodes, the
    /// oldest on cold ones.
    let segmentsPerStage: Int
    let objects: [SchemaObject]

    var resourceOptions: Banyandb_Common_V1_ResourceOpts {
        var options = Banyandb_Common_V1_ResourceOpts()
        options.shardNum = UInt32(shardCount)
        options.segmentInterval = days(segmentDays)
        options.ttl = days(segmentDays * segmentsPerStage)
        options.defaultStages = ["hot", "warm"]
        options.replicas = 1
        options.stages = [("warm", 2), ("cold", 3)].map { name, age in
            var stage = Banyandb_Common_V1_LifecycleStage()
            stage.name = name
            stage.shardNum = UInt32(max(1, shardCount / 2))
            stage.segmentInterval = days(segmentDays)
            stage.ttl = days(segmentDays * segmentsPerStage * age)
            stage.nodeSelector = "type=\(name)"
            stage.close = name == "cold"
            return stage
        }
        return options
    }

    func numbered(_ number: Int) -> SchemaGroup {
        SchemaGroup(
            name: "\(name)_\(number)", catalog: catalog, shardCount: shardCount, segmentDays: segmentDays,
            segmentsPerStage: segmentsPerStage, objects: objects)
    }

    private func days(_ count: Int) -> Banyandb_Common_V1_IntervalRule {
        var rule = Banyandb_Common_V1_IntervalRule()
        rule.unit = .day
        rule.num = UInt32(count)
        return rule
    }

    private init(
        name: String, catalog: String, shardCount: Int, segmentDays: Int, segmentsPerStage: Int,
        objects: [SchemaObject]
    ) {
        self.name = name
        self.catalog = catalog
        self.shardCount = shardCount
        self.segmentDays = segmentDays
        self.segmentsPerStage = segmentsPerStage
        self.objects = objects
    }

    /// - Parameter kind: of what the group is for: `measure`, `stream`, `trace`, `property`.
    private init(_ name: String, _ kind: String, shards: Int, days: Int, segments: Int, _ names: [String]) {
        self.init(
            name: name, catalog: "CATALOG_\(kind.uppercased())", shardCount: shards, segmentDays: days,
            segmentsPerStage: segments,
            objects: names.map { SchemaObject(kind: kind, name: $0) } + [
                SchemaObject(kind: "index_rule", name: "service_id"),
                SchemaObject(kind: "index_rule", name: "entity_id"),
                SchemaObject(kind: "index_rule_binding", name: "\(names[0])_binding"),
            ])
    }

    /// Each has at least as many objects as there are faults of ``SchemaFaults``.
    static let templates = [
        SchemaGroup(
            "sw_metrics_minute", "measure", shards: 2, days: 1, segments: 3,
            ["service_cpm", "service_resp_time", "service_sla", "endpoint_cpm", "instance_jvm_cpu"]),
        SchemaGroup(
            "sw_record", "stream", shards: 2, days: 1, segments: 3, ["log", "alarm_record", "browser_error_log"]),
        SchemaGroup(
            "sw_metrics_hour", "measure", shards: 2, days: 5, segments: 2,
            ["service_cpm_hour", "service_resp_time_hour", "service_sla_hour", "endpoint_cpm_hour"]),
        SchemaGroup("sw_trace", "trace", shards: 2, days: 1, segments: 2, ["segment", "zipkin_span"]),
        SchemaGroup(
            "sw_metrics_day", "measure", shards: 1, days: 15, segments: 2,
            ["service_cpm_day", "service_resp_time_day", "service_sla_day"]),
        SchemaGroup("sw_property", "property", shards: 1, days: 30, segments: 1, ["ui_template", "ui_menu"]),
    ]
}
