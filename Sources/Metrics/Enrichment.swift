// SPDX-License-Identifier: Apache-2.0

/// Labels that the registration of an agent adds to each of its series (wire contract, "Metrics enrichment").
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
    /// Labels of the registration that are left out: their name is one that Prometheus would refuse, or there are more of
    /// them than ``SeriesLimits/maxRegistrationLabels`` and ``SeriesLimits/maxRegistrationLabelBytes`` allow. To leave out
    /// the agent's series, or to spoil the whole scrape, would be worse.
    public let refusedLabelCount: Int

    public init(podName: String, nodeRole: String, labels: [String: String]) {
        let limits = SeriesLimits()
        var refused = 0
        var wanted: [Label] = []
        for (name, value) in labels where !value.isEmpty && name != "pod_name" && name != "container_name" {
            let label = Label(name: Array(("node_" + name).utf8), value: Array(value.utf8))
            // The role of the registration is what a label `role` can only claim.
            if label.name == LabelNames.nodeRole, !nodeRole.isEmpty { continue }
            if label.name.count <= limits.maxNameBytes, label.value.count <= limits.maxLabelValueBytes,
                NameRules.isLabelName(label.name.span.bytes)
            {
                wanted.append(label)
            } else {
                refused += 1
            }
        }
        // If not all have room it is the same ones in every process.
        wanted.sort { $0.name.lexicographicallyPrecedes($1.name) }
        var kept: [Label] = []
        var room = limits.maxRegistrationLabelBytes
        func keep(_ label: Label, atMost count: Int) {
            let bytes = label.name.count + label.value.count
            guard kept.count < count, bytes <= room else {
                refused += 1
                return
            }
            room -= bytes
            kept.append(label)
        }
        // They go first: without them the series of all agents are one.
        if !podName.isEmpty { keep(Label(name: LabelNames.podName, value: Array(podName.utf8)), atMost: .max) }
        if !nodeRole.isEmpty { keep(Label(name: LabelNames.nodeRole, value: Array(nodeRole.utf8)), atMost: .max) }
        let most = kept.count + limits.maxRegistrationLabels
        for label in wanted { keep(label, atMost: most) }
        self.labels = kept.sorted { $0.name.lexicographicallyPrecedes($1.name) }
        refusedLabelCount = refused
    }
}
