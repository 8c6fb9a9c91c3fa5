// SPDX-License-Identifier: Apache-2.0
import Lanes
import Metrics
import Platform

/// How old what is known of each agent is.
extension OwnMetrics {
    /// Told of every listed agent that has ever answered, also when its values are not shown any more.
    func addSampleAges(_ agents: [AgentID: AgentDirectory.Listed], to builder: inout FamilyBuilder) {
        let now = MonotonicClock.nowNanoseconds()
        var samples: [(labels: [(String, String)], value: Double)] = []
        for (id, listed) in agents {
            guard let newest = listed.newest?.agent, newest.sample != nil, let identity = listed.home.identity else {
                continue
            }
            samples.append(
                (
                    [("agent_id", id.description), ("pod_name", identity.identity.podName)],
                    Self.seconds(newest.sampleAgeNanoseconds(now: now))
                ))
        }
        samples.sort { $0.labels[0].1 < $1.labels[0].1 }
        builder.add(
            "fodc_proxy_agent_last_sample_age_seconds", .gauge,
            "Age of an agent's newest sample, whether its values are shown or not.", samples)
    }

    /// In whole milliseconds.
    private static func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds / 1_000_000) / 1000 }
}
