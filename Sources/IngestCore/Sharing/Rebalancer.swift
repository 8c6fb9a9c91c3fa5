// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Logging
import Rings

/// Sends agents to the other workers while this one has more than its share (``RebalancePlan``).
final class Rebalancer {
    /// An agent closes its connection within milliseconds of being sent away; who does not is cut off after this.
    static let graceNanoseconds: UInt64 = 1_000_000_000

    private let service: AgentService
    private let logger: Logger
    private var plan = RebalancePlan()
    private var leaving: [(connection: GRPCConnection, since: UInt64)] = []
    private var movedInRow = 0

    init(service: AgentService, logger: Logger) {
        self.service = service
        self.logger = logger
    }

    /// On every tick of a worker that takes connections.
    func tick(_ share: ConnectionShare, nowNanoseconds now: UInt64) {
        for (connection, since) in leaving
        where connection.end == nil && now - min(now, since) >= Self.graceNanoseconds {
            connection.close()
        }
        leaving.removeAll { $0.connection.end != nil }
        let count = plan.next(share, leaving: leaving.count, nowNanoseconds: now)
        guard count > 0 else { return logIfDone() }
        let moved = service.move(count, nowNanoseconds: now)
        if movedInRow == 0, !moved.isEmpty {
            logger.info(
                "above its share of the agents: sending some to the other workers",
                metadata: ["connections": "\(share.own)", "share": "\(share.share)"])
        }
        plan.sent(moved.count)
        movedInRow += moved.count
        leaving += moved.map { ($0, now) }
    }

    private func logIfDone() {
        guard movedInRow > 0 else { return }
        logger.info("sent agents to the other workers", metadata: ["agents": "\(movedInRow)"])
        movedInRow = 0
    }
}
