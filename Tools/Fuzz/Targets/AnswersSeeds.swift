// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import SwiftProtobuf

/// Messages of the other streams with something in every field that reaches the JSON.
enum AnswersSeeds {
    private static let odd = "q\"\\\n\u{1}ü"

    static var all: [[UInt8]] {
        let messages: [[[UInt8]]] = [
            [topology("node-a"), topology("node-b")], [lifecycle(7), lifecycle(8)], [crash("dir-a"), crash("")],
            [pressureRecord, MetricsSeeds.wire(listEnd), MetricsSeeds.wire(chunk)], [registryGroup, registryEnd],
            [configuration("1"), configuration("2")], [registration],
        ]
        return messages.enumerated().flatMap { stream, messages in
            [messages, messages.map(broken)].map { seed(UInt8(stream), $0) }
        }
    }

    private static func seed(_ stream: UInt8, _ messages: [[UInt8]]) -> [UInt8] {
        var seed = SeedWriter(stream)
        for message in messages { seed.piece(message) }
        return seed.bytes
    }

    /// With a byte that is no UTF-8 in its texts.
    private static func broken(_ message: [UInt8]) -> [UInt8] { message.map { $0 == UInt8(ascii: "q") ? 0xff : $0 } }

    private static func topology(_ name: String) -> [UInt8] {
        MetricsSeeds.wire(
            Banyandb_Fodc_V1_StreamClusterTopologyRequest.with {
                $0.timestamp.seconds = 1_700_000_000
                $0.topology.nodes = [
                    .with {
                        $0.metadata.name = name
                        $0.roles = [.data, .liaison]
                        $0.grpcAddress = "\(name):17912"
                        $0.createdAt.seconds = 5
                        $0.labels = ["pod_name": "pod-0", "zone": odd]
                    }
                ]
                $0.topology.calls = [
                    .with {
                        $0.id = "\(name)-c"
                        $0.source = name
                        $0.target = odd
                    }
                ]
            })
    }

    private static func lifecycle(_ fingerprint: UInt64) -> [UInt8] {
        MetricsSeeds.wire(
            Banyandb_Fodc_V1_StreamLifecycleRequest.with {
                $0.podName = "pod-0"
                $0.lifecycleData.reports = [
                    .with {
                        $0.filename = "2026-01-01.json"
                        $0.reportJson = "{\"q\": 1}"
                    }
                ]
                $0.lifecycleData.groups = [
                    .with {
                        $0.name = "group"
                        $0.catalog = "CATALOG_MEASURE"
                        $0.resourceOpts.shardNum = 2
                        $0.resourceOpts.stages = [.with { $0.name = odd }]
                        $0.dataInfo = [.with { $0.dataSizeBytes = 9 }]
                        $0.errors = [odd]
                        $0.schemaConsistency.objects = [
                            .with {
                                $0.kind = "measure"
                                $0.name = "m"
                                $0.nodeFingerprints = [
                                    .with {
                                        $0.node = "node-a"
                                        $0.cacheFingerprint = fingerprint
                                        $0.runtimeFingerprint = 7
                                    }
                                ]
                            }
                        ]
                    }
                ]
            })
    }

    private static func crash(_ folder: String) -> [UInt8] {
        MetricsSeeds.wire(
            Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest.with {
                $0.fetchedAt.seconds = 1_700_000_000
                $0.artifactDir = folder
                $0.files = ["stack.txt", odd]
                $0.panicRecord.occurredAt.nanos = 5
                $0.panicRecord.panicValue = odd
                $0.panicRecord.goroutineStack = "goroutine 1 [running]:\n\tmain.main()\n"
                $0.panicRecord.processMetadata = ["pid": "1"]
                $0.panicRecord.breadcrumbs = [
                    .with {
                        $0.stage = "flush"
                        $0.fields = ["k": odd]
                    }
                ]
            })
    }

    private static var pressureRecord: [UInt8] {
        MetricsSeeds.wire(
            Banyandb_Fodc_V1_StreamPressureProfilesRequest.with {
                $0.record.profileID = "p-1"
                $0.record.capturedAt.seconds = 3
                $0.record.rssBytes = 1 << 40
                $0.record.profiles = [
                    .with {
                        $0.type = "heap"
                        $0.filename = odd
                        $0.sizeBytes = -1
                    }
                ]
            })
    }

    private static let listEnd = Banyandb_Fodc_V1_StreamPressureProfilesRequest.with {
        $0.listComplete.requestID = "l-1"
    }

    private static let chunk = Banyandb_Fodc_V1_StreamPressureProfilesRequest.with {
        $0.chunk.requestID = "f-1-1"
        $0.chunk.data = .init([0, 0xff])
        $0.chunk.last = true
    }

    private static var registryGroup: [UInt8] {
        MetricsSeeds.wire(
            Banyandb_Fodc_V1_StreamSchemaRegistryRequest.with {
                $0.group.group = "group"
                $0.group.error = odd
                $0.group.objects = [
                    .with {
                        $0.kind = "measure"
                        $0.name = "m"
                        $0.fingerprint = 7
                    }
                ]
            })
    }

    private static var registryEnd: [UInt8] {
        MetricsSeeds.wire(Banyandb_Fodc_V1_StreamSchemaRegistryRequest.with { $0.done = true })
    }

    private static func configuration(_ value: String) -> [UInt8] {
        MetricsSeeds.wire(
            Fodc_Proxy_V1_NodeConfiguration.with {
                $0.startupParameters = ["--flag": value, "--password": odd]
                $0.runtimeConfiguration = ["a.b": odd]
                $0.version = "0.10"
                $0.collectedAt.seconds = 1
            })
    }

    private static var registration: [UInt8] {
        MetricsSeeds.wire(
            Banyandb_Fodc_V1_RegisterAgentRequest.with {
                $0.nodeRole = "ROLE_DATA"
                $0.podName = "pod-0"
                $0.containerNames = ["data", odd]
                $0.labels = ["zone": "a"]
            })
    }
}
