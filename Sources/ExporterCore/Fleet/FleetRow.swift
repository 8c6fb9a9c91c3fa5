// SPDX-License-Identifier: Apache-2.0

/// How a node is, from the worst to the best: the order in which the fleet is listed.
enum NodeState: String, CaseIterable, Sendable {
    /// Its registration is gone, and it has not come back.
    case gone
    /// Its connection is lost, a short time ago.
    case unconnected
    /// It is registered, and its metrics do not come.
    case silent
    case online

    var rank: Int {
        switch self {
        case .gone: 0
        case .unconnected: 1
        case .silent: 2
        case .online: 3
        }
    }

    /// A sign beside the colour.
    var sign: String {
        switch self {
        case .gone: "✕"
        case .unconnected: "◌"
        case .silent: "▲"
        case .online: "●"
        }
    }
}

/// One node of the fleet, live or gone. Times are wall clock, nanoseconds since the epoch.
struct FleetRow: Sendable, Equatable {
    var podName: String
    var agentID: String
    var role: String
    /// `liaison`, `hot`, `warm`, `cold` or `data`.
    var tier: String
    var zone: String
    var address: String
    var state: NodeState
    /// Why it is not online; empty: it is.
    var why = ""
    /// Since when it is not online; 0: it is, or nobody knows.
    var sinceNanoseconds: Int64 = 0
    /// Names of the open ones.
    var streams: [String] = []
    /// `nil`: it is gone.
    var ingestWorker: Int?
    var registeredAtNanoseconds: Int64
    var lastSampleAtNanoseconds: Int64?
    var series: Int
    /// Restarts of its process that are known; `nil`: the black box is off.
    var restarts: Int?
    /// Open incidents; `nil`: the black box is off.
    var openIncidents: Int?

    static let rolePrefix = "ROLE_"
    private static let tierLabel = "type"
    private static let zoneLabels = ["zone", "topology.kubernetes.io/zone", "availability_zone"]

    /// The tier that a node says it belongs to; without that it follows from its role.
    static func tier(role: String, labels: [String: String]) -> String {
        if let tier = labels[tierLabel], !tier.isEmpty { return tier }
        return role.hasPrefix(rolePrefix) ? role.dropFirst(rolePrefix.count).lowercased() : role.lowercased()
    }

    static func zone(labels: [String: String]) -> String {
        zoneLabels.lazy.compactMap { labels[$0] }.first ?? ""
    }

    /// The role without what all roles begin with.
    var shortRole: String {
        role.hasPrefix(Self.rolePrefix) ? role.dropFirst(Self.rolePrefix.count).lowercased() : role
    }
}
