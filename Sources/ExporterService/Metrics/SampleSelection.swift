// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics
import Platform

/// Chooses, for an answer, which agents' samples are shown.
final class SampleSelection {
    private let directory: AgentDirectory
    private let workers: WorkerLines
    private let graceNanoseconds: UInt64

    init(directory: AgentDirectory, workers: WorkerLines, graceNanoseconds: UInt64) {
        self.directory = directory
        self.workers = workers
        self.graceNanoseconds = graceNanoseconds
    }

    /// In the order of their ids, so that an unchanged set of agents is recognised as such.
    func snapshots(of result: CollectionResult) -> [AgentSnapshot] {
        let now = MonotonicClock.nowNanoseconds()
        directory.refresh(nowNanoseconds: now)
        let freshness = Freshness(
            graceNanoseconds: graceNanoseconds, collectionStartedAt: result.startedAtNanoseconds, now: now,
            wallNow: WallClock.nowNanoseconds(), isCutShort: result.isCutShort)
        var snapshots: [AgentSnapshot] = []
        for (id, listed) in directory.listed() {
            guard let newest = listed.newest, let sample = newest.agent.sample, let table = newest.agent.table,
                let identity = listed.home.identity
            else { continue }
            let agent = Freshness.Agent(
                sampleOrigin: newest.agent.sampleOrigin, sampleReceivedAt: sample.receivedAtNanoseconds,
                isSampleOfAnotherHome: newest.worker != listed.worker && newest.agent.entry.status != .foreign,
                registeredAt: listed.home.entry.registeredAtNanoseconds,
                streamLostAt: listed.metricsLostAtNanoseconds,
                workerLostAt: [listed.worker, newest.worker].compactMap(workers.lostAtNanoseconds(worker:)).max())
            guard freshness.shows(agent) else { continue }
            snapshots.append(
                AgentSnapshot(
                    agentID: id.description, role: identity.role, podName: identity.identity.podName,
                    order: UInt64(bitPattern: listed.home.entry.registeredAtNanoseconds), table: table, sample: sample))
        }
        snapshots.sort { $0.agentID < $1.agentID }
        return snapshots
    }

    /// Every listed agent, with a sample or without.
    var agents: [(role: String, podName: String)] {
        directory.listed().values.compactMap { listed in
            listed.home.identity.map { ($0.role, $0.identity.podName) }
        }
    }
}
