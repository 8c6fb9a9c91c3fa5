// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Foundation
import SwiftProtobuf
import Testing

/// Messages as JSON, held against what the Go proxy answered.
@Suite struct MessageJSONTests {
    private func json<M: Message>(_ message: M, _ style: MessageJSON.Style) -> String {
        var text = Array("<".utf8)
        MessageJSON.append(message, style: style, to: &text)
        return String(String(decoding: text, as: UTF8.self).dropFirst())
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

    @Test func groupsAreAsTheGoProxyWroteThem() {
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
        #expect(json(group, .complete) == capturedGroup)
    }

    /// The first node of the captured answer of `/cluster/topology`, without what the registry adds to it.
    @Test func nodesAreAsTheGoProxyWroteThem() {
        let node = Banyandb_Database_V1_Node.with {
            $0.metadata.name = "banyandb-data-hot-0-n2:17912"
            $0.grpcAddress = "banyandb-data-hot-0-n2:17912"
            $0.createdAt = .with { ($0.seconds, $0.nanos) = (1_795_397_520, 836_934_576) }
            $0.labels = ["type": "hot", "pod_name": "banyandb-data-hot-0"]
        }
        #expect(
            json(node, .compact) == """
                {"metadata":{"name":"banyandb-data-hot-0-n2:17912"},"grpc_address":"banyandb-data-hot-0-n2:17912",\
                "created_at":{"seconds":1795397520,"nanos":836934576},"labels":{"pod_name":"banyandb-data-hot-0",\
                "type":"hot"}}
                """)
    }

    @Test func unsetIsNotZero() {
        var node = Banyandb_Database_V1_Node()
        #expect(json(node, .compact) == "{}")
        node.metadata = .init()
        node.createdAt = .init()
        #expect(json(node, .compact) == #"{"metadata":{},"created_at":{}}"#)
        let complete = json(node, .complete)
        #expect(complete.contains(#""created_at":"1970-01-01T00:00:00Z""#))
        #expect(complete.contains(#""roles":[]"#) && complete.contains(#""labels":{}"#))
    }

    @Test func oneofsShowWhichIsSet() {
        let chunk = Banyandb_Fodc_V1_StreamPressureProfilesRequest.with {
            $0.chunk = .with {
                $0.data = Data([0xff, 0xfe, 0xfd, 0x01])
                $0.last = true
            }
        }
        #expect(
            json(chunk, .complete)
                == #"{"record":null,"list_complete":null,"chunk":{"request_id":"","profile_id":"","type":"","#
                + #""data":"//79AQ==","last":true,"error":""}}"#)
        #expect(json(chunk, .compact) == #"{"chunk":{"data":"//79AQ==","last":true}}"#)
        #expect(json(Google_Protobuf_StringValue(), .complete) == #"{"value":""}"#)
    }

    /// Of optional fields zero is something else than unset.
    @Test func scalarsThatCanBeUnset() {
        let value = Google_Protobuf_EnumValueDescriptorProto.with { $0.number = 0 }
        #expect(json(value, .compact) == #"{"number":0}"#)
        #expect(json(value, .complete) == #"{"name":null,"number":0,"options":null}"#)
    }

    @Test func mapsOfMessagesAreInTheOrderOfTheirKeys() {
        let fields = Google_Protobuf_Struct.with {
            $0.fields = ["b": .with { $0.structValue = .init() }, "a": .with { $0.listValue = .init() }]
        }
        #expect(json(fields, .compact) == #"{"fields":{"a":{"list_value":{}},"b":{"struct_value":{}}}}"#)
    }

    @Test func numbersAndNames() {
        let consistency = Banyandb_Fodc_V1_SchemaConsistency.with {
            $0.status = .UNRECOGNIZED(77)
            $0.objects = [.with { $0.registryFingerprint = .max }]
            $0.issues = [.with { $0.type = .runtimeNotApplied }, .with { $0.kind = "\u{1}\"\\\n" }]
        }
        #expect(
            json(consistency, .complete)
                == #"{"status":77,"objects":[{"kind":"","name":"","registry_fingerprint":"18446744073709551615","#
                + #""node_fingerprints":[]}],"issues":[{"kind":"","name":"","node":"","#
                + #""type":"SCHEMA_ISSUE_TYPE_RUNTIME_NOT_APPLIED"},{"kind":"\u0001\"\\\n","name":"","node":"","#
                + #""type":"SCHEMA_ISSUE_TYPE_UNSPECIFIED"}]}"#)
        #expect(json(consistency, .compact).contains(#""registry_fingerprint":18446744073709551615"#))
    }

    @Test(
        arguments: [
            (0, 0, "1970-01-01T00:00:00Z"), (1, 500_000_000, "1970-01-01T00:00:01.500Z"),
            (1, 500_000, "1970-01-01T00:00:01.000500Z"), (1, 5, "1970-01-01T00:00:01.000000005Z"),
            (-1, 1_000_000, "1969-12-31T23:59:59.001Z"), (0, -1, "1969-12-31T23:59:59.999999999Z"),
            (Int64.max, Int32.max, "9999-12-31T23:59:59Z"), (Int64.min, Int32.min, "0001-01-01T00:00:00Z"),
        ] as [(Int64, Int32, String)])
    func times(_ seconds: Int64, _ nanos: Int32, _ text: String) {
        let time = Google_Protobuf_Timestamp.with { ($0.seconds, $0.nanos) = (seconds, nanos) }
        let written = json(time, .complete)
        if seconds == Int64.min || seconds == Int64.max {
            // Beyond all years only the whole seconds are promised.
            #expect(written.hasPrefix("\"" + text.dropLast()))
        } else {
            #expect(written == "\"\(text)\"")
        }
    }

    /// Foundation is the judge of what is JSON, and the library's own reader of what is in it.
    @Test func completeJSONReadsBackAsTheMessage() throws {
        var seed = UInt64(Int.random(in: 0...Int.max))
        let printed = seed
        for _ in 0..<200 {
            let message = RandomMessages.lifecycle(&seed)
            let back = try Banyandb_Fodc_V1_StreamLifecycleRequest(jsonString: json(message, .complete))
            #expect(back == message, "seed \(printed)")
            _ = try JSONSerialization.jsonObject(with: Data(json(message, .compact).utf8))
        }
    }
}
