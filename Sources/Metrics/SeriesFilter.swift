// SPDX-License-Identifier: Apache-2.0
import Platform

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

    /// By the bytes.
    public static func == (one: SeriesFilter, other: SeriesFilter) -> Bool {
        areEqual(one.role, other.role) && areEqual(one.podName, other.podName)
    }

    private static func areEqual(_ one: String?, _ other: String?) -> Bool {
        one.map { ExactText($0) } == other.map { ExactText($0) }
    }

    /// Whether all that the other lets through passes this one.
    public func covers(_ other: SeriesFilter) -> Bool {
        (role == nil || Self.areEqual(role, other.role)) && (podName == nil || Self.areEqual(podName, other.podName))
    }

    /// Whether series of such an agent can pass.
    public func accepts(role agentRole: String, podName agentPodName: String) -> Bool {
        ExactText.areEqual(role ?? agentRole, agentRole) && ExactText.areEqual(podName ?? agentPodName, agentPodName)
    }
}
