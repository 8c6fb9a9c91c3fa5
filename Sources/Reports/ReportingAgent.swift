// SPDX-License-Identifier: Apache-2.0

/// The agent that something came from.
public struct ReportingAgent: Hashable, Sendable {
    public var agentID: String
    public var podName: String
    public var role: String

    public init(agentID: String, podName: String, role: String) {
        self.agentID = agentID
        self.podName = podName
        self.role = role
    }
}
