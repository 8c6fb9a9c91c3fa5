// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Foundation
import JSONWriting
import SwiftProtobuf
import Testing

@testable import Reports

/// Groups as JSON, held against what the Go proxy answered and against the library's own reader.
@Suite struct LifecycleJSONTests {
    private func json(_ group: Banyandb_Fodc_V1_GroupLifecycleInfo) -> String {
        var json = JSONWriter(Array("<".utf8))
        json.group(group)
        return String(json.text.dropFirst())
    }

    /// The first group of the captured answer of `/cluster/lifecycle` (shared/examples/cluster-lifecycle.json).
    private let capturedGroup = """
        {"name":"sw_metrics_0","catalog":"CATALOG_MEASURE","resource_opts":{"shard_num":2,"segment_interval":\
        {"unit":"UNIT_DAY","num":1},"ttl":{"unit":"UNIT_DAY","num":7},"stages":[],"default_stages":[],"replicas":0},\
        "data_info":[{"node":{"metadata":{"group":"","name":"banyandb-liaison-0:17912","id":0,"create_revision":"0",\
        "mod_revision":"0"},"roles":["ROLE_DATA"],"grpc_address":"","http_address":"",\
        "created_at":"2026-11-23T01:32:08.918964490Z","labels":{},"property_repair_gossip_grpc_address":"",\
        "property_schema_grpc_address":"","property_schema_gossip_grpc_address":""},"segment_info":[],\
        "data_size_bytes":"1048576"}],"errors":[],"schema_consistency":null}
        """

    @Test func lifecycleJSON_writesGroupsLikeTheGoProxy() {
        let group = Banyandb_Fodc_V1_GroupLifecycleInfo.with {
            $0.name = "sw_metrics_0"
            $0.catalog = "CATALOG_MEASURE"
            $0.resourceOpts = .with {
                $0.shardNum = 2
                $0.segmentInterval = .with { ($0.unit, $0.num) = (.day, 1) }
                $0.ttl = .with { ($0.unit, $0.num) = (.day, 7) }
            }
            $0.dataInfo = [
                .with {
                    $0.node = .with {
                        $0.metadata.name = "banyandb-liaison-0:17912"
                        $0.roles = [.data]
                        $0.createdAt = .with { ($0.seconds, $0.nanos) = (1_795_397_528, 918_964_490) }
                    }
                    $0.dataSizeBytes = 1_048_576
                }
            ]
        }
        #expect(json(group) == capturedGroup)
    }

    @Test func lifecycleJSON_distinguishesUnsetFromZero() {
        var group = Banyandb_Fodc_V1_GroupLifecycleInfo()
        group.dataInfo = [.init()]
        #expect(json(group).contains(#""data_info":[{"node":null,"segment_info":[],"data_size_bytes":"0"}]"#))
        group.dataInfo[0].node = .init()
        #expect(json(group).contains(#""node":{"metadata":null,"roles":[],"grpc_address":"""#))
        #expect(json(group).contains(#""created_at":null,"labels":{}"#))
        group.dataInfo[0].node.createdAt = .init()
        #expect(json(group).contains(#""created_at":"1970-01-01T00:00:00Z""#))
    }

    @Test func lifecycleJSON_writesNumbersAndEnumNames() {
        let consistency = Banyandb_Fodc_V1_SchemaConsistency.with {
            $0.status = .UNRECOGNIZED(77)
            $0.objects = [.with { $0.registryFingerprint = .max }]
            $0.issues = [.with { $0.type = .runtimeNotApplied }, .with { $0.kind = "\u{1}\"\\\n" }]
        }
        #expect(
            json(.with { $0.schemaConsistency = consistency }).hasSuffix(
                #""schema_consistency":{"status":77,"objects":[{"kind":"","name":"","#
                    + #""registry_fingerprint":"18446744073709551615","node_fingerprints":[]}],"#
                    + #""issues":[{"kind":"","name":"","node":"","type":"SCHEMA_ISSUE_TYPE_RUNTIME_NOT_APPLIED"},"#
                    + #"{"kind":"\u0001\"\\\n","name":"","node":"","type":"SCHEMA_ISSUE_TYPE_UNSPECIFIED"}]}}"#))
    }

    @Test(
        arguments: [
            (0, 0, "1970-01-01T00:00:00Z"), (1, 500_000_000, "1970-01-01T00:00:01.500Z"),
            (1, 500_000, "1970-01-01T00:00:01.000500Z"), (1, 5, "1970-01-01T00:00:01.000000005Z"),
            (-1, 1_000_000, "1969-12-31T23:59:59.001Z"), (0, -1, "1969-12-31T23:59:59.999999999Z"),
            // Beyond all years the fraction is that of the time that was sent.
            (Int64.max, Int32.max, "9999-12-31T23:59:59.147483647Z"),
            (Int64.min, Int32.min, "0001-01-01T00:00:00.852516352Z"),
        ] as [(Int64, Int32, String)])
    func lifecycleJSON_writesTimes(_ seconds: Int64, _ nanos: Int32, _ text: String) {
        var group = Banyandb_Fodc_V1_GroupLifecycleInfo()
        group.dataInfo = [.init()]
        group.dataInfo[0].node.createdAt = .with { ($0.seconds, $0.nanos) = (seconds, nanos) }
        #expect(json(group).contains("\"created_at\":\"\(text)\""))
    }

    @Test func lifecycleJSON_parsesBackToTheMessage() throws {
        var seed = UInt64(Int.random(in: 0...Int.max))
        let printed = seed
        for _ in 0..<200 {
            for group in RandomMessages.lifecycle(&seed).lifecycleData.groups {
                let back = try Banyandb_Fodc_V1_GroupLifecycleInfo(jsonString: json(group))
                #expect(back == group, "seed \(printed)")
            }
        }
    }

    /// A field that is added to a message, and not here, is missing in the answer.
    @Test func lifecycleJSON_writesEveryField() throws {
        let group = Banyandb_Fodc_V1_GroupLifecycleInfo.with { group in
            group.resourceOpts.stages = [.init()]
            group.dataInfo = [.init()]
            group.dataInfo[0].node.metadata = .init()
            group.dataInfo[0].segmentInfo = [.init()]
            group.dataInfo[0].segmentInfo[0].seriesIndexInfo = .init()
            group.dataInfo[0].segmentInfo[0].shardInfo = [.init()]
            group.dataInfo[0].segmentInfo[0].shardInfo[0].invertedIndexInfo = .init()
            group.dataInfo[0].segmentInfo[0].shardInfo[0].sidxInfo = .init()
            group.resourceOpts.stages[0].ttl = .init()
            group.schemaConsistency.objects = [.init()]
            group.schemaConsistency.objects[0].nodeFingerprints = [.init()]
            group.schemaConsistency.issues = [.init()]
        }
        let object = try JSONReading.object(Array(json(group).utf8))
        func names(_ path: String...) throws -> Set<String> {
            var value: Any = object
            for name in path {
                value = try #require((value as? [String: Any])?[name])
                if let list = value as? [Any] { value = try #require(list.first) }
            }
            return Set(try #require(value as? [String: Any]).keys)
        }
        func fields<M: Message & _ProtoNameProviding>(_ type: M.Type) -> Set<String> {
            Set(Google_Protobuf_FieldMask(allFieldsOf: type).paths)
        }
        #expect(try names() == fields(Banyandb_Fodc_V1_GroupLifecycleInfo.self))
        #expect(try names("resource_opts") == fields(Banyandb_Common_V1_ResourceOpts.self))
        #expect(try names("resource_opts", "stages") == fields(Banyandb_Common_V1_LifecycleStage.self))
        #expect(try names("resource_opts", "stages", "ttl") == fields(Banyandb_Common_V1_IntervalRule.self))
        #expect(try names("data_info") == fields(Banyandb_Database_V1_DataInfo.self))
        #expect(try names("data_info", "node") == fields(Banyandb_Database_V1_Node.self))
        #expect(try names("data_info", "node", "metadata") == fields(Banyandb_Common_V1_Metadata.self))
        #expect(try names("data_info", "segment_info") == fields(Banyandb_Database_V1_SegmentInfo.self))
        #expect(
            try names("data_info", "segment_info", "series_index_info")
                == fields(Banyandb_Database_V1_SeriesIndexInfo.self))
        #expect(try names("data_info", "segment_info", "shard_info") == fields(Banyandb_Database_V1_ShardInfo.self))
        #expect(
            try names("data_info", "segment_info", "shard_info", "inverted_index_info")
                == fields(Banyandb_Database_V1_InvertedIndexInfo.self))
        #expect(
            try names("data_info", "segment_info", "shard_info", "sidx_info")
                == fields(Banyandb_Database_V1_SIDXInfo.self))
        #expect(try names("schema_consistency") == fields(Banyandb_Fodc_V1_SchemaConsistency.self))
        #expect(try names("schema_consistency", "objects") == fields(Banyandb_Fodc_V1_ObjectConsistency.self))
        #expect(
            try names("schema_consistency", "objects", "node_fingerprints")
                == fields(Banyandb_Fodc_V1_NodeFingerprint.self))
        #expect(try names("schema_consistency", "issues") == fields(Banyandb_Fodc_V1_SchemaIssue.self))
    }
}
