// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// A node as the cluster knows it.
struct ClusterNode: Sendable, Equatable {
    let identity: SimulatedIdentity

    init(_ identity: SimulatedIdentity) {
        self.identity = identity
    }

    /// The node's name in topology, sizes and fingerprints.
    var id: String { "\(identity.podName):17912" }

    var message: Banyandb_Database_V1_Node {
        var node = Banyandb_Database_V1_Node()
        node.metadata.name = id
        node.roles = [identity.kind == .liaison ? .liaison : .data]
        node.grpcAddress = id
        // Pods of a set start one after the other.
        node.createdAt = .init(
            nanoseconds: (ValueModel.originSeconds + Int64(identity.index) * Self.startSeconds) * 1_000_000_000)
        node.labels = identity.registrationLabels.merging(
            ["pod_name": identity.podName, "type": identity.kind.rawValue]
        ) { $1 }
        if identity.kind == .liaison {
            node.httpAddress = "\(identity.podName):17913"
        } else {
            node.propertyRepairGossipGrpcAddress = "\(identity.podName):17932"
            node.propertySchemaGrpcAddress = "\(identity.podName):17916"
            node.propertySchemaGossipGrpcAddress = "\(identity.podName):17933"
        }
        return node
    }

    private static let startSeconds: Int64 = 7
}
