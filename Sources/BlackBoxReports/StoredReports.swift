// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import FODCProtocol
import Platform
import Reports
import SwiftProtobuf

/// The reports of the live endpoints, out of what was stored around an incident.
struct StoredReports {
    let incident: Incident
    let kept: [KeptSamples]
    let reader: BlackBoxReader

    /// As `/incidents/{id}`.
    func incidentJSON() throws(DatabaseError) -> [UInt8] {
        // It was there a moment ago.
        try IncidentsReport.json(ofIncident: incident.id, reader) ?? []
    }

    /// As `/diagnostics`, of the incident's node.
    func crashesJSON() throws(DatabaseError) -> [UInt8] {
        guard let node = kept.first?.node, node.id == incident.nodeID else {
            return DiagnosticsReport(records: []).json
        }
        let records = try reader.crashRecords(of: node.id, limit: IncidentBundle.crashRecordLimit).compactMap {
            Self.crash($0, node)
        }
        return DiagnosticsReport(records: records).json
    }

    static func crash(_ answer: StoredAnswer, _ node: StoredNode) -> DiagnosticsReport.Record? {
        let message = parse(Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest.self, answer.message)
        return message.map {
            DiagnosticsReport.Record(
                reporter: ReportingAgent(node), message: $0, receivedAtNanoseconds: answer.receivedAtNanoseconds)
        }
    }

    /// As `/cluster/topology`, as it was when the incident was opened.
    func topologyJSON() throws(DatabaseError) -> [UInt8] {
        var views: [TopologyReport.View] = []
        for (_, answer) in try states("topology") {
            if let message = Self.parse(Banyandb_Fodc_V1_StreamClusterTopologyRequest.self, answer.message) {
                views.append(.init(message: message, receivedAtNanoseconds: answer.receivedAtNanoseconds))
            }
        }
        return TopologyReport(views: views, agents: []).json
    }

    /// As `/cluster/config`, of the nodes whose samples are kept.
    func configurationJSON() throws(DatabaseError) -> [UInt8] {
        let nodes = try states("configuration").compactMap { node, answer in
            Self.parse(Fodc_Proxy_V1_NodeConfiguration.self, answer.message).map {
                ConfigurationReport.Node(reporter: ReportingAgent(node), configuration: $0)
            }
        }
        return ConfigurationReport(nodes: nodes, notSupported: []).json
    }

    /// The last answers of the kept nodes on a stream before the incident was opened.
    private func states(_ kind: String) throws(DatabaseError) -> [(node: StoredNode, answer: StoredAnswer)] {
        var found: [(node: StoredNode, answer: StoredAnswer)] = []
        for samples in kept {
            let answer = try reader.state(
                of: samples.node.id, kind: kind, atNanoseconds: incident.openedAtNanoseconds)
            if let answer { found.append((samples.node, answer)) }
        }
        return found
    }

    /// Agents are untrusted, and so is what they have said.
    static func parse<M: Message>(_ type: M.Type, _ bytes: [UInt8]) -> M? {
        try? LenientMessage.parse(type, bytes.span.bytes).message
    }
}

extension ReportingAgent {
    init(_ node: StoredNode) {
        self.init(agentID: node.agentID, podName: node.podName, role: node.role)
    }
}
