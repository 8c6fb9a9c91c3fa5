// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Platform
import Reports
import Rings

/// `role` and `pod_name` of a request about agents, without case (HTTP contract).
struct AgentFilter: Hashable {
    var agentID: ExactText?
    var role: ExactText?
    var podName: ExactText?
    /// Also agents that are gone, as far as the black box knows them.
    var includesGone = false

    init() {}

    init(_ request: HTTPRequest) {
        role = Self.value("role", of: request)
        podName = Self.value("pod_name", of: request)
    }

    static func value(_ name: String, of request: HTTPRequest) -> ExactText? {
        request.parameter(name).flatMap { $0.isEmpty ? nil : ExactText($0.lowercased()) }
    }

    var isEmpty: Bool { agentID == nil && role == nil && podName == nil }

    func matches(_ reporter: ReportingAgent) -> Bool {
        (agentID.map { $0 == ExactText(reporter.agentID) } ?? true)
            && (role.map { $0 == ExactText(reporter.role.lowercased()) } ?? true)
            && (podName.map { $0 == ExactText(reporter.podName.lowercased()) } ?? true)
    }
}

extension AgentDirectory {
    /// The listed agents that a filter lets through.
    func reporters(_ filter: AgentFilter? = nil) -> [AgentID: ReportingAgent] {
        var found: [AgentID: ReportingAgent] = [:]
        for (id, listed) in listed() {
            guard let identity = listed.owner.identity else { continue }
            let reporter = ReportingAgent(
                agentID: id.description, podName: identity.identity.podName, role: identity.role)
            if filter?.matches(reporter) ?? true { found[id] = reporter }
        }
        return found
    }
}
