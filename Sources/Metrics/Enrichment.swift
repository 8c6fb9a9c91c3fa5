// SPDX-License-Identifier: Apache-2.0

/// What the registration of an agent adds to each of its series (wire contract, "Metrics enrichment").
///
/// `pod_name` and `node_role` where the series lacks them; each label `k=v` of the registration as `node_k="v"`, unless
/// the value is empty, `k` is `pod_name` or `container_name`, or the series has `node_k` already.
public struct Enrichment: Equatable, Sendable {
    struct Label: Equatable, Sendable {
        var name: [UInt8]
        var value: [UInt8]
    }

    /// Sorted by name, no name twice, no empty value.
    let labels: [Label]
    /// Labels of the registration whose name Prometheus would refuse. They are left out: to leave out the agent's
    /// series, or to spoil the whole scrape, would be worse.
    public let refusedLabelCount: Int

    public init(podName: String, nodeRole: String, labels: [String: String]) {
        var values: [String: String] = [:]
        var refused = 0
        for (name, value) in labels where !value.isEmpty && name != "pod_name" && name != "container_name" {
            let nodeName = "node_" + name
            if nodeName.utf8.count <= SeriesLimits().maxNameBytes,
                NameRules.isLabelName(Array(nodeName.utf8).span.bytes)
            {
                values[nodeName] = value
            } else {
                refused += 1
            }
        }
        // After the labels: the role of the registration is what a label `role` can only claim.
        if !podName.isEmpty { values["pod_name"] = podName }
        if !nodeRole.isEmpty { values["node_role"] = nodeRole }
        self.labels = values.map { Label(name: Array($0.key.utf8), value: Array($0.value.utf8)) }
            .sorted { $0.name.lexicographicallyPrecedes($1.name) }
        refusedLabelCount = refused
    }
}
