// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// Messages of an agent about itself, without gRPC's prefix.
enum AgentMessages {
    /// The first registers, all later ones are heartbeats.
    static func registration(of identity: SimulatedIdentity) throws -> [UInt8] {
        var request = Banyandb_Fodc_V1_RegisterAgentRequest()
        request.nodeRole = identity.nodeRole
        request.labels = identity.registrationLabels
        request.podName = identity.podName
        request.containerNames = identity.containerNames
        return try request.serializedBytes()
    }
}
