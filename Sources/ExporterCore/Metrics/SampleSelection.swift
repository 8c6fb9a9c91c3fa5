// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import RingMessages
import Rings

/// Chooses, for an answer, which agents' samples are shown.
final class SampleSelection {
    private let directory: AgentDirectory
    private let workers: WorkerChannels
    private let graceNanoseconds: UInt64

    /// The agents of an answer.
    struct Selected {
        /// In the order of their ids, so that an unchanged set of agents is recognised as such.
        var snapshots: [AgentSnapshot] = []
        /// Of all listed agents, by role, pod, and how they stand in this answer.
        var states: [(role: String, podName: String, state: StalenessPolicy.State)] = []

        func count(_ state: StalenessPolicy.State, _ filter: SeriesFilter) -> Int {
            states.lazy.filter { $0.state == state && filter.accepts(role: $0.role, podName: $0.podName) }.count
        }
    }

    init(directory: AgentDirectory, workers: WorkerChannels, graceNanoseconds: UInt64) {
        self.directory = directory
        self.workers = workers
        self.graceNanoseconds = graceNanoseconds
    }

    /// Why an answer of this collection would lack agents that are well; `nil` when it does not.
    func refusal(of result: CollectionResult) -> (cause: String, text: String)? {
        if let refusal = result.refusals.values.first { return (refusal.rawValue, refusal.text) }
        // Agents that have been sent away get no grace here: another proxy may show them already, and sums over both would
        // count them twice.
        if result.isCutShort, select(result).states.contains(where: { $0.state == .lastKnown }) {
            return (Self.stopping, "the proxy is being stopped and has sent its agents away: try again")
        }
        // With last-known values what was interrupted is bridged.
        guard graceNanoseconds == 0 else { return nil }
        if let cause = result.interruptions.values.first {
            return (cause.rawValue, "a worker of the proxy was interrupted, and last-known values are off: try again")
        }
        guard result.isCutShort else { return nil }
        return (Self.stopping, "the proxy is being stopped, and last-known values are off: try again")
    }

    /// The cause of answers that end because this exporter does.
    static let stopping = "exporter_stopping"

    /// The kinds of partial answers that a path can give.
    func expectPartialAnswers(of path: String, _ partial: PartialAnswers) {
        for cause in AskRefusal.allCases { partial.expect(path, cause.rawValue, .refused) }
        partial.expect(path, Self.stopping, .refused)
        let interruptions = CollectionResult.Interruption.allCases.map(\.rawValue)
        for cause in interruptions { partial.expect(path, cause, graceNanoseconds == 0 ? .refused : .lastKnown) }
        partial.expect(path, Self.noAnswer, .leftOut)
    }

    /// The cause of answers without agents that did not answer in time.
    static let noAnswer = "no_answer"

    /// Counts an answer that is not whole.
    /// - Returns: the agents of the filter that are left out because they did not answer.
    func note(
        _ selected: Selected, of result: CollectionResult, _ filter: SeriesFilter, _ path: String,
        _ partial: PartialAnswers
    ) -> Int {
        for cause in Set(result.interruptions.values.map(\.rawValue)) { partial.add(path, cause, .lastKnown) }
        let leftOut = selected.count(.silent, filter)
        if leftOut > 0 { partial.add(path, Self.noAnswer, .leftOut) }
        return leftOut
    }

    func select(_ result: CollectionResult) -> Selected {
        let now = MonotonicClock.nowNanoseconds()
        directory.refresh(nowNanoseconds: now)
        let staleness = StalenessPolicy(
            graceNanoseconds: graceNanoseconds, collectionStartedAt: result.startedAtNanoseconds, now: now,
            wallNow: WallClock.nowNanoseconds())
        var selected = Selected()
        for (id, listed) in directory.listed() {
            guard let identity = listed.owner.identity else { continue }
            func note(_ state: StalenessPolicy.State) {
                selected.states.append((identity.role, identity.identity.podName, state))
            }
            guard let newest = listed.newest, let sample = newest.agent.sample, let table = newest.agent.table else {
                note(listed.metricsLostAtNanoseconds == nil ? .silent : .disconnected)
                continue
            }
            let asked = listed.worker(having: .metrics) ?? listed.worker
            let agent = StalenessPolicy.Agent(
                sampleOrigin: newest.agent.sampleOrigin, sampleReceivedAt: sample.receivedAtNanoseconds,
                sampleAge: newest.agent.sampleAgeNanoseconds(now: now),
                isSampleOfAnotherOwner: newest.worker != listed.worker && newest.agent.entry.status != .remote,
                registeredAt: listed.owner.entry.registeredAtNanoseconds,
                streamLostAt: listed.metricsLostAtNanoseconds,
                workerLostAt: [listed.worker, newest.worker].compactMap(workers.lostAtNanoseconds(worker:)).max(),
                isCutShort: result.isCutShort || result.interruptions[asked] != nil)
            let state = staleness.state(of: agent)
            note(state)
            guard state == .answered || state == .lastKnown else { continue }
            selected.snapshots.append(
                AgentSnapshot(
                    agentID: id.description, role: identity.role, podName: identity.identity.podName,
                    order: UInt64(bitPattern: listed.owner.entry.registeredAtNanoseconds), table: table, sample: sample)
            )
        }
        selected.snapshots.sort { $0.agentID < $1.agentID }
        return selected
    }
}
