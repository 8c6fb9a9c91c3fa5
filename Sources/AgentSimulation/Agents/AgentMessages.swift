// SPDX-License-Identifier: Apache-2.0

import FODCProtocol
import SwiftProtobuf

/// What an agent says besides metrics, as messages without gRPC's prefix.
enum AgentMessages {
    /// The first registers, all later ones are heartbeats.
    static func registration(of identity: AgentIdentity) throws -> [UInt8] {
        var request = Banyandb_Fodc_V1_RegisterAgentRequest()
        request.nodeRole = identity.nodeRole
        request.labels = identity.registrationLabels
        request.podName = identity.podName
        request.containerNames = identity.containerNames
        return try request.serializedBytes()
    }

    /// The node alone: who calls whom is seen by whole clusters only.
    static func topology(of identity: AgentIdentity, nowNanoseconds: Int64) throws -> [UInt8] {
        var request = Banyandb_Fodc_V1_StreamClusterTopologyRequest()
        request.timestamp = timestamp(nowNanoseconds)
        request.topology.nodes = [node(of: identity)]
        return try request.serializedBytes()
    }

    /// One group; liaisons know the groups, data nodes how much of them they have.
    static func lifecycle(of identity: AgentIdentity, nowNanoseconds: Int64) throws -> [UInt8] {
        var group = Banyandb_Fodc_V1_GroupLifecycleInfo()
        group.name = "sw_metrics_0"
        group.catalog = "CATALOG_MEASURE"
        group.resourceOpts.shardNum = 2
        group.resourceOpts.segmentInterval.unit = .day
        group.resourceOpts.segmentInterval.num = 1
        group.resourceOpts.ttl.unit = .day
        group.resourceOpts.ttl.num = 7
        var data = Banyandb_Database_V1_DataInfo()
        data.node = node(of: identity)
        data.dataSizeBytes = 1 << 20
        if identity.kind != .liaison { group.dataInfo = [data] }
        var request = Banyandb_Fodc_V1_StreamLifecycleRequest()
        request.timestamp = timestamp(nowNanoseconds)
        request.podName = identity.podName
        request.lifecycleData.groups = [group]
        return try request.serializedBytes()
    }

    /// One group with one object, and the end.
    static func schemaRegistry() throws -> [[UInt8]] {
        var object = Banyandb_Fodc_V1_SchemaObjectFingerprint()
        object.kind = "measure"
        object.name = "service_cpm_minute"
        object.fingerprint = StableHash.fnv1a(object.name)
        var group = Banyandb_Fodc_V1_StreamSchemaRegistryRequest()
        group.group.group = "sw_metrics_0"
        group.group.objects = [object]
        var end = Banyandb_Fodc_V1_StreamSchemaRegistryRequest()
        end.done = true
        return [try group.serializedBytes(), try end.serializedBytes()]
    }

    /// The node has no profiles: an empty list, and an error to whoever wants one nevertheless.
    static func pressureProfiles(answering message: [UInt8]) throws -> [UInt8]? {
        let command = try Banyandb_Fodc_V1_StreamPressureProfilesResponse(serializedBytes: message)
        var request = Banyandb_Fodc_V1_StreamPressureProfilesRequest()
        switch command.command {
        case .listProfiles(let list):
            request.listComplete.requestID = list.requestID
        case .fetchProfile(let fetch):
            request.chunk.requestID = fetch.requestID
            request.chunk.profileID = fetch.profileID
            request.chunk.type = fetch.type
            request.chunk.error = "no such profile"
            request.chunk.last = true
        case nil:
            return nil
        }
        return try request.serializedBytes()
    }

    private static func node(of identity: AgentIdentity) -> Banyandb_Database_V1_Node {
        var node = Banyandb_Database_V1_Node()
        node.metadata.name = "\(identity.podName):17912"
        node.roles = [identity.kind == .liaison ? .liaison : .data]
        node.grpcAddress = node.metadata.name
        node.createdAt = timestamp(ValueModel.originSeconds * 1_000_000_000)
        node.labels = identity.registrationLabels.merging(["pod_name": identity.podName]) { $1 }
        return node
    }

    private static func timestamp(_ nanoseconds: Int64) -> SwiftProtobuf.Google_Protobuf_Timestamp {
        var timestamp = SwiftProtobuf.Google_Protobuf_Timestamp()
        timestamp.seconds = nanoseconds / 1_000_000_000
        timestamp.nanos = Int32(nanoseconds % 1_000_000_000)
        return timestamp
    }
}
