// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import JSONWriting
import Platform

/// A key whose value is not the same on all nodes of one role. A node that does not have the key is one of them, with
/// `null` for its value.
struct ConfigurationDifference: Sendable {
    /// The two parts of a configuration, which may have keys of one name.
    enum Section: String, CaseIterable, Sendable {
        case startup = "startup_params"
        case runtime = "runtime_config"

        func values(of node: ConfigurationReport.Node) -> [String: String] {
            switch self {
            case .startup: node.configuration.startupParameters
            case .runtime: node.configuration.runtimeConfiguration
            }
        }
    }

    let role: String
    let section: Section
    let key: String
    /// In the order of the values, the missing one first; pods in the order of the nodes.
    let values: [(value: String?, podNames: [String])]

    /// In the order of role, section and key.
    static func all(among nodes: [ConfigurationReport.Node]) -> [ConfigurationDifference] {
        Dictionary(grouping: nodes) { ExactText($0.reporter.role) }.sorted { $0.key < $1.key }.flatMap { role, nodes in
            Section.allCases.flatMap { differences(of: $0, among: nodes, role: role.text) }
        }
    }

    private static func differences(
        of section: Section, among nodes: [ConfigurationReport.Node], role: String
    ) -> [ConfigurationDifference] {
        var holders: [ExactText: [ExactText: [String]]] = [:]
        for node in nodes {
            for (key, value) in section.values(of: node) {
                holders[ExactText(key), default: [:]][ExactText(value), default: []].append(node.reporter.podName)
            }
        }
        let differing = holders.filter { _, byValue in byValue.count > 1 || byValue.first?.value.count != nodes.count }
        return differing.sorted { $0.key < $1.key }.map { key, byValue in
            var values: [(value: String?, podNames: [String])] = byValue.sorted { $0.key < $1.key }.map {
                ($0.key.text, $0.value)
            }
            let without = nodes.filter { section.values(of: $0)[key.text] == nil }
            if !without.isEmpty { values.insert((nil, without.map(\.reporter.podName)), at: 0) }
            return ConfigurationDifference(role: role, section: section, key: key.text, values: values)
        }
    }

    func append(to json: inout JSONWriter) {
        json.object { json in
            json.member("node_role", role)
            json.member("section", section.rawValue)
            json.member("key", key)
            json.member("values", list: values) { json, holders in
                json.object { json in
                    json.member("value", optional: holders.value) { $0.string(Secrets.shown($1, key: key)) }
                    json.member("pod_names", holders.podNames)
                }
            }
        }
    }
}
