// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports
import SwiftProtobuf

/// Inputs of reports out of a seed, with every field, value and character that can matter to the JSON. A seed's inputs must
/// stay as it is: `GoldenReportsTests` holds checksums of what the reports make of it.
struct RandomReports {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    // MARK: Values

    /// SplitMix64.
    private mutating func word() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    private mutating func below(_ limit: Int) -> Int { Int(word() % UInt64(limit)) }
    private mutating func chance(_ one: Int = 2) -> Bool { below(one) == 0 }

    /// One number in four is zero, one is an end of the range, the others have any length.
    private mutating func number<Value: FixedWidthInteger>() -> Value {
        switch below(8) {
        case 0, 1: 0
        case 2: .max
        case 3: .min
        default: Value(truncatingIfNeeded: word() >> UInt64(below(64)))
        }
    }

    private static let pieces = [
        "a", "pod-0", "\"", "\\", "\n", "\t", "\u{0}", "\u{1f}", "\u{7f}", "\u{85}", "\u{a0}", "ü", "\u{2028}", "日本",
        "🙂", "<&>",
        "password=1", "eight by", "banyandb-data-hot-0.banyandb:17912",
    ]

    private mutating func text() -> String {
        var text = ""
        for _ in 0..<below(4) { text += Self.pieces[below(Self.pieces.count)] }
        return text
    }

    private mutating func list<Element>(_ limit: Int = 4, _ element: (inout Self) -> Element) -> [Element] {
        var elements: [Element] = []
        for _ in 0..<below(limit) { elements.append(element(&self)) }
        return elements
    }

    private mutating func texts() -> [String] { list { $0.text() } }

    private mutating func map() -> [String: String] {
        Dictionary(list { ($0.text(), $0.text()) }, uniquingKeysWith: { first, _ in first })
    }

    private mutating func time() -> Google_Protobuf_Timestamp {
        var time = Google_Protobuf_Timestamp()
        time.seconds = chance(8) ? number() : Int64(word() % 4_000_000_000) - 1_000_000_000
        let step = [1_000_000_000, 1_000_000, 1000, 1][below(4)]
        time.nanos = chance(8) ? number() : Int32(Int(word() % 1_000_000_000) / step * step)
        return time
    }

    private mutating func wallNanoseconds() -> Int64 {
        chance(8) ? number() : Int64(word() % 2_000_000_000_000_000_000)
    }

    private mutating func reporter() -> ReportingAgent {
        ReportingAgent(
            agentID: "id-\(below(1000))", podName: text(),
            role: ["ROLE_DATA", "ROLE_LIAISON", "", "ROLE_\"X"][below(4)])
    }

    // MARK: Messages

    private mutating func metadata() -> Banyandb_Common_V1_Metadata {
        var metadata = Banyandb_Common_V1_Metadata()
        metadata.group = text()
        metadata.name = text()
        metadata.id = number()
        metadata.createRevision = number()
        metadata.modRevision = number()
        return metadata
    }

    private mutating func node() -> Banyandb_Database_V1_Node {
        var node = Banyandb_Database_V1_Node()
        if !chance(4) { node.metadata = metadata() }
        node.roles = list { [.meta, .data, .liaison, .UNRECOGNIZED(9), .UNRECOGNIZED(-1), .unspecified][$0.below(6)] }
        node.grpcAddress = text()
        node.httpAddress = text()
        if chance() { node.createdAt = time() }
        node.labels = map()
        if chance() { node.labels["pod_name"] = text() }
        node.propertyRepairGossipGrpcAddress = text()
        node.propertySchemaGrpcAddress = text()
        node.propertySchemaGossipGrpcAddress = text()
        return node
    }

    private mutating func interval() -> Banyandb_Common_V1_IntervalRule {
        var rule = Banyandb_Common_V1_IntervalRule()
        rule.unit = [.unspecified, .hour, .day, .UNRECOGNIZED(7)][below(4)]
        rule.num = number()
        return rule
    }

    private mutating func stage() -> Banyandb_Common_V1_LifecycleStage {
        var stage = Banyandb_Common_V1_LifecycleStage()
        stage.name = text()
        stage.shardNum = number()
        if chance() { stage.segmentInterval = interval() }
        if chance() { stage.ttl = interval() }
        stage.nodeSelector = text()
        stage.close = chance()
        stage.replicas = number()
        return stage
    }

    private mutating func options() -> Banyandb_Common_V1_ResourceOpts {
        var options = Banyandb_Common_V1_ResourceOpts()
        options.shardNum = number()
        if chance() { options.segmentInterval = interval() }
        if chance() { options.ttl = interval() }
        options.stages = list { $0.stage() }
        options.defaultStages = texts()
        options.replicas = number()
        return options
    }

    private mutating func shard() -> Banyandb_Database_V1_ShardInfo {
        var shard = Banyandb_Database_V1_ShardInfo()
        shard.shardID = number()
        shard.dataCount = number()
        shard.dataSizeBytes = number()
        shard.partCount = number()
        if chance() {
            shard.invertedIndexInfo.dataCount = number()
            shard.invertedIndexInfo.dataSizeBytes = number()
        }
        if chance() {
            shard.sidxInfo.dataCount = number()
            shard.sidxInfo.dataSizeBytes = number()
            shard.sidxInfo.partCount = number()
        }
        shard.filePartCount = number()
        return shard
    }

    private mutating func segment() -> Banyandb_Database_V1_SegmentInfo {
        var segment = Banyandb_Database_V1_SegmentInfo()
        segment.segmentID = text()
        segment.timeRangeStart = text()
        segment.timeRangeEnd = text()
        segment.shardInfo = list { $0.shard() }
        if chance() {
            segment.seriesIndexInfo.dataCount = number()
            segment.seriesIndexInfo.dataSizeBytes = number()
        }
        return segment
    }

    private mutating func group() -> Banyandb_Fodc_V1_GroupLifecycleInfo {
        var group = Banyandb_Fodc_V1_GroupLifecycleInfo()
        group.name = ["", "g", "h", "sw_metrics", "\"g\""][below(5)]
        group.catalog = ["", "CATALOG_UNSPECIFIED", "CATALOG_MEASURE", text()][below(4)]
        if chance() { group.resourceOpts = options() }
        group.dataInfo = list { random in
            var info = Banyandb_Database_V1_DataInfo()
            if !random.chance(4) { info.node = random.node() }
            info.segmentInfo = random.list { $0.segment() }
            info.dataSizeBytes = random.number()
            return info
        }
        group.errors = texts()
        if chance() { group.schemaConsistency = fingerprints() }
        return group
    }

    private mutating func kind() -> String { ["measure", "stream", "", "index\"rule"][below(4)] }
    private mutating func name() -> String { ["m", "n", "", "ü"][below(4)] }
    private mutating func fingerprint() -> UInt64 { [0, 1, 2, .max][below(4)] }

    private mutating func fingerprints() -> Banyandb_Fodc_V1_SchemaConsistency {
        var consistency = Banyandb_Fodc_V1_SchemaConsistency()
        consistency.objects = list { random in
            var object = Banyandb_Fodc_V1_ObjectConsistency()
            object.kind = random.kind()
            object.name = random.name()
            object.registryFingerprint = random.number()
            object.nodeFingerprints = random.list { random in
                var node = Banyandb_Fodc_V1_NodeFingerprint()
                node.node = ["n-0", "n-1", "n\n", ""][random.below(4)]
                node.cacheFingerprint = random.fingerprint()
                node.runtimeFingerprint = random.fingerprint()
                return node
            }
            return object
        }
        return consistency
    }

    private mutating func registry() -> RegistryOutcome {
        switch below(8) {
        case 0: return .noLiaison
        case 1: return .failed(reasons: texts())
        default:
            let messages = ["g", "h", "sw_metrics", "\"g\""].map { name in
                Banyandb_Fodc_V1_StreamSchemaRegistryRequest.with { message in
                    message.group.group = name
                    message.group.error = chance(8) ? text() : ""
                    message.group.objects = list { random in
                        .with {
                            $0.kind = random.kind()
                            $0.name = random.name()
                            $0.fingerprint = random.fingerprint()
                        }
                    }
                }
            }
            return .read(RegistryContents(messages))
        }
    }

    private mutating func crash() -> Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest {
        var message = Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest()
        if chance() { message.fetchedAt = time() }
        message.sourceEndpoint = text()
        message.artifactDir = text()
        if chance() {
            var panic = Banyandb_Fodc_V1_CrashPanicRecord()
            if chance() { panic.occurredAt = time() }
            panic.component = text()
            panic.panicValue = text()
            panic.recovered = chance()
            panic.goroutineStack = text()
            panic.breadcrumbs = list { random in
                var crumb = Banyandb_Fodc_V1_CrashBreadcrumb()
                if random.chance() { crumb.time = random.time() }
                crumb.stage = random.text()
                crumb.component = random.text()
                crumb.fields = random.map()
                return crumb
            }
            panic.processMetadata = map()
            message.panicRecord = panic
        }
        message.files = texts()
        return message
    }

    private mutating func capture() -> Banyandb_Fodc_V1_PressureProfileRecord {
        var record = Banyandb_Fodc_V1_PressureProfileRecord()
        record.profileID = text()
        if chance() { record.capturedAt = time() }
        record.sourceEndpoint = text()
        record.rssBytes = number()
        record.cgroupLimitBytes = number()
        record.triggerPercent = number()
        record.thresholdBytes = number()
        record.profiles = list { random in
            var profile = Banyandb_Fodc_V1_PressureProfileInfo()
            profile.type = random.text()
            profile.filename = random.text()
            profile.filepath = random.text()
            profile.format = random.text()
            profile.sizeBytes = random.number()
            return profile
        }
        return record
    }

    // MARK: Reports, and of how many messages each is made

    mutating func topology() -> (json: [UInt8], messages: Int) {
        let views = list { random in
            var message = Banyandb_Fodc_V1_StreamClusterTopologyRequest()
            message.topology.nodes = random.list { $0.node() }
            message.topology.calls = random.list { random in
                .with { ($0.id, $0.target, $0.source) = (random.text(), random.text(), random.text()) }
            }
            return TopologyReport.View(message: message, receivedAtNanoseconds: random.wallNanoseconds())
        }
        let agents = list { random in
            TopologyReport.RegisteredAgent(
                podName: random.text(), isOnline: random.chance(),
                lastHeartbeatNanoseconds: random.chance() ? random.wallNanoseconds() : nil)
        }
        return (TopologyReport(views: views, agents: agents).json, views.count)
    }

    mutating func lifecycle() -> (json: [UInt8], messages: Int) {
        let answers = list { random in
            var message = Banyandb_Fodc_V1_StreamLifecycleRequest()
            message.lifecycleData.reports = random.list { random in
                .with { ($0.filename, $0.reportJson) = (random.text(), random.text()) }
            }
            message.lifecycleData.groups = random.list { $0.group() }
            return LifecycleReport.Answer(
                reporter: random.reporter(), message: message, receivedAtNanoseconds: random.wallNanoseconds())
        }
        let responseCounts = LifecycleReport.ResponseCounts(
            registered: below(5), requested: below(4), responded: chance() ? 3 : below(4))
        var report = LifecycleReport(answers: answers, responseCounts: responseCounts)
        var consistency = SchemaConsistency()
        let registry = registry()
        // A disagreement shows when it is seen twice.
        if chance() { report.judge(by: &consistency, registry: registry) }
        report.judge(by: &consistency, registry: registry)
        return (report.json, answers.count)
    }

    mutating func diagnostics() -> (json: [UInt8], messages: Int) {
        let records = list(6) { random in
            DiagnosticsReport.Record(
                reporter: random.reporter(), message: random.crash(), receivedAtNanoseconds: random.wallNanoseconds())
        }
        return (DiagnosticsReport(records: records).json, records.count)
    }

    mutating func pressureProfiles() -> (json: [UInt8], messages: Int) {
        let lists = list { random in
            PressureReport.List(reporter: random.reporter(), records: random.list { $0.capture() })
        }
        return (PressureReport(lists: lists).json, lists.reduce(0) { $0 + $1.records.count })
    }

    mutating func configurations() -> (json: [UInt8], messages: Int) {
        let nodes = list(6) { random in
            var configuration = Fodc_Proxy_V1_NodeConfiguration()
            configuration.startupParameters = random.map()
            configuration.runtimeConfiguration = random.map()
            if random.chance() { configuration.collectedAt = random.time() }
            configuration.version = random.text()
            return ConfigurationReport.Node(reporter: random.reporter(), configuration: configuration)
        }
        return (ConfigurationReport(nodes: nodes, notSupported: texts()).json, nodes.count)
    }

    mutating func cluster() -> (json: [UInt8], messages: Int) {
        let nodes = list(6) { random in
            ClusterReport.Node(
                reporter: random.reporter(), address: random.text(), containerNames: random.texts(),
                labels: random.map(), isOnline: random.chance(), registeredAtNanoseconds: random.wallNanoseconds(),
                lastHeartbeatNanoseconds: random.chance() ? random.wallNanoseconds() : nil, streams: random.texts(),
                ingestWorker: random.below(64),
                lastSampleAtNanoseconds: random.chance() ? random.wallNanoseconds() : nil, series: random.below(2000))
        }
        let calls: [UInt8]? = chance() ? nil : Array(#"[{"id":"1"}]"#.utf8)
        return (
            ClusterReport(nodes: nodes, callsJSON: calls, updatedAtNanoseconds: wallNanoseconds()).json, nodes.count
        )
    }
}
