// SPDX-License-Identifier: Apache-2.0
import Logging
import Metrics

/// For which causes the log has named an agent of which something is left out: it sends that again with every answer.
struct DropReports<Cause: Hashable> {
    /// Each cause is told of an agent so often.
    static var intervalNanoseconds: UInt64 { 600 * 1_000_000_000 }

    private var reportedAt: [Cause: UInt64] = [:]

    mutating func isDue(_ cause: Cause, nowNanoseconds now: UInt64) -> Bool {
        if let before = reportedAt[cause], now - min(now, before) < Self.intervalNanoseconds { return false }
        reportedAt[cause] = now
        return true
    }
}

/// Names in the log an agent of which something is left out.
struct DropLog {
    let logger: Logger

    func note(_ agent: Agent, _ dropped: DroppedSample, count: Int) {
        logger.warning(
            "series of an agent are left out; see docs/troubleshooting.md, \"Series are missing\"",
            metadata: [
                "pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)", "metric": "\(dropped.metric)",
                "cause": "\(dropped.cause.name)", "samples": "\(count)",
            ])
    }

    func note(_ agent: Agent, _ dropped: DroppedAnswer) {
        logger.warning(
            "an answer of an agent, or a part of it, is left out; see docs/compatibility.md",
            metadata: [
                "pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)", "stream": "\(dropped.stream.name)",
                "cause": "\(dropped.cause.rawValue)",
            ])
    }
}
