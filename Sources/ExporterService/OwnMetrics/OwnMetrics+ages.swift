// SPDX-License-Identifier: Apache-2.0
import Lanes
import Metrics
import Platform

/// How old what is known of each agent is.
extension OwnMetrics {
    /// Told of every listed agent that has ever answered, also when its values are not shown any more.
    func addSampleAges(_ agents: [AgentID: AgentDirectory.Listed], to builder: inout FamilyBuilder) {
        let now = WallClock.nowNanoseconds()
        var samples: [(labels: [(String, String)], value: Double)] = []
        for (id, listed) in agents {
            guard let receivedAt = listed.lastSampleAtNanoseconds, let identity = listed.home.identity else { continue }
            samples.append(
                (
                    [("agent_id", id.description), ("pod_name", identity.identity.podName)],
                    Self.ageSeconds(receivedAtNanoseconds: receivedAt, nowNanoseconds: now)
                ))
        }
        samples.sort { $0.labels[0].1 < $1.labels[0].1 }
        builder.add(
            "fodc_proxy_agent_last_sample_age_seconds", .gauge,
            "Age of an agent's newest sample, whether its values are shown or not.", samples)
    }

    /// In whole milliseconds. A clock that was set back makes nothing negative.
    static func ageSeconds(receivedAtNanoseconds: Int64, nowNanoseconds: Int64) -> Double {
        let age = max(0, nowNanoseconds.subtractingReportingOverflow(receivedAtNanoseconds).partialValue)
        return Double(age / 1_000_000) / 1000
    }
}
