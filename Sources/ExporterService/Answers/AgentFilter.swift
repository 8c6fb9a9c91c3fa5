// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Lanes
import Platform
import Reports

/// `role` and `pod_name` of a request about agents, without case (HTTP contract).
struct AgentFilter {
    var agentID: String?
    var role: String?
    var podName: String?

    init() {}

    init(_ request: HTTPRequest) {
        func value(_ name: String) -> String? {
            request.parameter(name).flatMap { $0.isEmpty ? nil : $0.lowercased() }
        }
        role = value("role")
        podName = value("pod_name")
    }

    var isEmpty: Bool { agentID == nil && role == nil && podName == nil }

    func matches(_ reporter: Reporter) -> Bool {
        (agentID.map { $0 == reporter.agentID } ?? true)
            && (role.map { ExactText.areEqual($0, reporter.role.lowercased()) } ?? true)
            && (podName.map { ExactText.areEqual($0, reporter.podName.lowercased()) } ?? true)
    }
}

extension AgentDirectory {
    /// The listed agents that a filter lets through.
    func reporters(_ filter: AgentFilter? = nil) -> [AgentID: Reporter] {
        var found: [AgentID: Reporter] = [:]
        for (id, listed) in listed() {
            guard let identity = listed.home.identity else { continue }
            let reporter = Reporter(
                agentID: id.description, podName: identity.identity.podName, role: identity.role)
            if filter?.matches(reporter) ?? true { found[id] = reporter }
        }
        return found
    }
}
