// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import Rings

/// Metrics of the listed agents, and the age of each one's newest sample.
struct RegistryMetrics: MetricSource {
    let directory: AgentDirectory
    /// `--max-agents`.
    let maximumAgents: Int

    func addMetrics(to families: inout FamilyBuilder) {
        let agents = directory.listed()
        let online = agents.values.lazy.filter { $0.owner.entry.status == .online }.count
        families.add(
            "fodc_proxy_max_agents", .gauge, "Maximum number of registered agents (--max-agents).",
            Double(maximumAgents))
        families.add(
            "fodc_proxy_agents", .gauge, "Agents in the registry, by state.",
            [([("state", "online")], Double(online)), ([("state", "unconnected")], Double(agents.count - online))])
        families.add(
            "fodc_proxy_agent_last_sample_age_seconds", .gauge,
            "Age of an agent's newest sample, also while its values are not shown.", sampleAges(of: agents))
    }

    /// One for every listed agent that has ever answered, also when its values are not shown any more.
    private func sampleAges(of agents: [AgentID: AgentDirectory.Listed]) -> [FamilyBuilder.Sample] {
        let now = MonotonicClock.nowNanoseconds()
        let ages: [FamilyBuilder.Sample] = agents.compactMap { id, listed in
            guard let newest = listed.newest?.agent, newest.sample != nil, let identity = listed.owner.identity else {
                return nil
            }
            return (
                [("agent_id", id.description), ("pod_name", identity.identity.podName)],
                Self.seconds(newest.sampleAgeNanoseconds(now: now))
            )
        }
        return ages.sorted { $0.labels[0].1 < $1.labels[0].1 }
    }

    /// In whole milliseconds.
    private static func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds / 1_000_000) / 1000 }
}
