// SPDX-License-Identifier: Apache-2.0

/// `role` and `pod_name` of a request: exact, both together mean and; compared with the agent and with each series'
/// labels.
public struct SeriesFilter: Equatable, Sendable {
    public var role: String?
    public var podName: String?

    public init(role: String? = nil, podName: String? = nil) {
        self.role = role
        self.podName = podName
    }

    /// Nothing is filtered.
    public var isEmpty: Bool { role == nil && podName == nil }

    /// Whether all that the other lets through passes this one.
    public func covers(_ other: SeriesFilter) -> Bool {
        (role == nil || role == other.role) && (podName == nil || podName == other.podName)
    }

    /// Whether series of such an agent can pass.
    public func accepts(role agentRole: String, podName agentPodName: String) -> Bool {
        (role ?? agentRole) == agentRole && (podName ?? agentPodName) == agentPodName
    }
}
