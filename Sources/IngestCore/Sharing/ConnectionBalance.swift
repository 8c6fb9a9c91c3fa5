// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Platform
import Rings

/// Keeps this worker's connections at its share of all: takes fewer, or sends agents to the other workers.
final class ConnectionBalance: IngestFeature {
    private let core: IngestWorkerCore
    private let server: GRPCServer
    private let loads: WorkerLoads
    private let mover: Rebalancer

    init(core: IngestWorkerCore, others: OtherRings, server: GRPCServer, service: AgentService) {
        self.core = core
        self.server = server
        loads = WorkerLoads(control: core.control, others: others)
        mover = Rebalancer(service: service, logger: core.logger)
    }

    /// How eagerly the server takes connections now.
    func share() -> AcceptShare {
        let now = MonotonicClock.nowNanoseconds()
        let share = loads.share(own: server.takenCount, for: .accepting, nowNanoseconds: now)
        return AcceptShare(
            isAboveShare: share.isAbove, othersConnections: share.othersTotal,
            waitNanoseconds: loads.isSuccessorAwaited(nowNanoseconds: now)
                ? AcceptBackoff.forSuccessorNanoseconds : AcceptBackoff.longestNanoseconds)
    }

    /// The worker was woken: a worker may be about to send its agents away.
    func supervisorMayHaveSpoken() {
        if loads.isSuccessorAwaited(nowNanoseconds: MonotonicClock.nowNanoseconds()) { server.shareChanged() }
    }

    func tick(nowNanoseconds now: UInt64) {
        guard !core.ring.isFull, !core.isDraining else { return }
        mover.tick(
            loads.share(own: server.connectionCount, for: .moving, nowNanoseconds: now), nowNanoseconds: now)
    }
}
