// SPDX-License-Identifier: Apache-2.0
import Calendar
import FODCProtocol
import JSONWriting

/// The answer of `/cluster/config`: the nodes' configurations, and where nodes of one role differ. Values of secrets are
/// never shown, but compared.
public struct ConfigurationReport: Sendable {
    public struct Node: Sendable {
        public var reporter: ReportingAgent
        public var configuration: Fodc_Proxy_V1_NodeConfiguration

        public init(reporter: ReportingAgent, configuration: Fodc_Proxy_V1_NodeConfiguration) {
            self.reporter = reporter
            self.configuration = configuration
        }
    }

    public let json: [UInt8]

    /// - Parameter notSupported: pods of the agents without the stream.
    public init(nodes: [Node], notSupported: [String]) {
        let sorted = nodes.sorted {
            ($0.reporter.podName, $0.reporter.agentID) < ($1.reporter.podName, $1.reporter.agentID)
        }
        let differences = ConfigurationDifference.all(among: sorted)
        var json = JSONWriter()
        json.object { json in
            json.member("configurations") {
                $0.array(sorted) { json, node in json.object { Self.append(node, to: &$0) } }
            }
            json.member("differences") { $0.array(differences) { $1.append(to: &$0) } }
            json.member("not_supported", notSupported.sorted())
        }
        self.json = json.bytes
    }

    private static func append(_ node: Node, to json: inout JSONWriter) {
        json.member("agent_id", node.reporter.agentID)
        json.member("pod_name", node.reporter.podName)
        json.member("node_role", node.reporter.role)
        json.member("version", node.configuration.version)
        json.member("startup_params", masked(node.configuration.startupParameters))
        json.member("runtime_config", masked(node.configuration.runtimeConfiguration))
        let collectedAt = node.configuration.hasCollectedAt ? node.configuration.collectedAt : nil
        json.member("collected_at", optional: collectedAt) { $0.time(EpochTime($1)) }
    }

    private static func masked(_ values: [String: String]) -> [String: String] {
        var shown = values
        for (key, value) in values {
            let text = Secrets.shown(value, key: key)
            if text == Secrets.mask { shown[key] = text }
        }
        return shown
    }
}
