// SPDX-License-Identifier: Apache-2.0
import Logging
import RingMessages

/// Says in the log which agents register, are lost and leave the registry: a line each for the first ones of an interval,
/// then one line that counts the rest, so that a restart of a large cluster does not markEnded everything else.
///
/// Fields: `pod`, `agent_id`, `peer` (the agent's address), and `cause`.
final class AgentEventLog {
    enum Event: CaseIterable {
        case registered
        case lost
        case removed

        var message: Logger.Message {
            switch self {
            case .registered: "agent registered"
            case .lost: "agent lost"
            case .removed: "agent removed from the registry"
            }
        }

        var summary: Logger.Message {
            switch self {
            case .registered: "more agents registered"
            case .lost: "more agents lost"
            case .removed: "more agents removed from the registry"
            }
        }
    }

    /// Lines of one kind that pass in an interval.
    static let burst = 20
    static let intervalNanoseconds: UInt64 = 5_000_000_000

    private struct Count {
        var since: UInt64 = 0
        var told = 0
        var keptBack = 0
        var causes: [String: Int] = [:]
    }

    private let logger: Logger
    private var counts: [Event: Count] = [:]

    init(logger: Logger) {
        self.logger = logger
    }

    /// - Parameter cause: one word, as in the labels of the metrics.
    func note(_ event: Event, _ agent: Agent, cause: String, nowNanoseconds now: UInt64) {
        var count = counts[event] ?? Count(since: now)
        if now - min(now, count.since) >= Self.intervalNanoseconds {
            tell(event, count)
            count = Count(since: now)
        }
        if count.told < Self.burst {
            count.told += 1
            logger.info(
                event.message,
                metadata: [
                    "pod": "\(agent.identity.podName)", "agent_id": "\(agent.id)", "role": "\(agent.role)",
                    "peer": "\(agent.peer)", "cause": "\(cause)",
                ])
        } else {
            count.keptBack += 1
            count.causes[cause, default: 0] += 1
        }
        counts[event] = count
    }

    /// Counts what was kept back in intervals that are over.
    func tick(nowNanoseconds now: UInt64) {
        for event in Event.allCases {
            guard let count = counts[event], now - min(now, count.since) >= Self.intervalNanoseconds else { continue }
            tell(event, count)
            counts[event] = nil
        }
    }

    private func tell(_ event: Event, _ count: Count) {
        guard count.keptBack > 0 else { return }
        let causes = count.causes.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ",")
        logger.info(event.summary, metadata: ["agents": "\(count.keptBack)", "causes": "\(causes)"])
    }
}
