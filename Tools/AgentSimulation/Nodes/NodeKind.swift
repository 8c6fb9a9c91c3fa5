// SPDX-License-Identifier: Apache-2.0

/// The kinds of BanyanDB node that an agent can stand beside.
public enum NodeKind: String, Sendable, CaseIterable {
    case liaison, data, hot, warm, cold

    /// `node_role`, as agents register and as they label their series.
    public var nodeRole: String {
        self == .liaison ? "ROLE_LIAISON" : "ROLE_DATA"
    }

    /// The text between the prefix of a pod's name and its ordinal: `banyandb-data-hot-0`.
    public var podInfix: String {
        switch self {
        case .liaison, .data: rawValue
        case .hot, .warm, .cold: "data-\(rawValue)"
        }
    }

    /// The containers of the pod. Hot and warm nodes have a second one, which moves old segments to the next stage.
    public var containerNames: [String] {
        switch self {
        case .liaison: ["liaison"]
        case .data, .cold: ["data"]
        case .hot, .warm: ["data", "lifecycle"]
        }
    }

    /// The labels of the registration that say what the node is; the proxy makes `node_type` of `type`.
    public var typeLabels: [String: String] {
        switch self {
        case .liaison, .data: [:]
        case .hot, .warm, .cold: ["type": rawValue]
        }
    }
}
