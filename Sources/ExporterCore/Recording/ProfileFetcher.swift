// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform
import RingMessages
import Rings

/// Fetches profiles that agents list and the black box lacks: one at a time, and none while somebody downloads one. Their bytes
/// pass through the data ring, where the recorder takes them; here they are only counted.
final class ProfileFetcher {
    typealias Wanted = BlackBoxWatch.WantedProfile

    /// Tries of one profile by this process.
    static let limitTries = 3
    /// Profiles whose tries are remembered.
    private static let limitRemembered = 4_096
    /// The recorder has stored by then what has come.
    static let retryNanoseconds: UInt64 = 30_000_000_000
    /// Chunks are taken at this pace, some 20 MiB a second, so that the ring keeps them for the recorder. When somebody waits
    /// for another profile of the agent there is no pace.
    static let pace = TimeAmount.milliseconds(50)

    enum Outcome: String, CaseIterable {
        case completed, failed
    }

    private struct UnderWay {
        var number: UInt64
        var worker: Int
        var receivedBytes: UInt64 = 0
    }

    private struct Tries {
        var count = 0
        var lastNanoseconds: UInt64 = 0
    }

    private let line: any FetchLine
    private let loop: any EventLoop
    /// The worker that has the agent's stream; `nil` when none has.
    private let worker: (AgentID) -> Int?
    private var underWay: UnderWay?
    private var tries: [Wanted: Tries] = [:]
    private var people = 0
    private(set) var outcomes: [Outcome: UInt64] = [:]

    init(line: any FetchLine, loop: any EventLoop, worker: @escaping (AgentID) -> Int?) {
        self.line = line
        self.loop = loop
        self.worker = worker
    }

    /// These are lacking, the most wanted first.
    func found(_ wanted: [Wanted], nowNanoseconds now: UInt64 = MonotonicClock.nowNanoseconds()) {
        guard underWay == nil, people == 0 else { return }
        for profile in wanted where mayTry(profile, now) {
            guard let worker = worker(profile.agent) else { continue }
            let command = FetchCommand(
                agent: profile.agent, profileID: profile.profileID, type: profile.type, filepath: profile.filepath)
            guard let number = line.start(command, worker: worker) else { continue }
            if tries.count >= Self.limitRemembered { tries = [:] }
            tries[profile, default: Tries()].count += 1
            tries[profile]?.lastNanoseconds = now
            underWay = UnderWay(number: number, worker: worker)
            return
        }
    }

    private func mayTry(_ profile: Wanted, _ now: UInt64) -> Bool {
        guard let known = tries[profile] else { return true }
        return known.count < Self.limitTries && now - min(now, known.lastNanoseconds) >= Self.retryNanoseconds
    }

    // MARK: People

    /// Somebody waits for a download: what is under way here gives way as fast as the agent sends.
    func personCame() {
        people += 1
        credit()
    }

    func personLeft() { people -= 1 }

    // MARK: From the rings

    func chunkArrived(number: UInt64, byteCount: Int) {
        guard underWay?.number == number else { return }
        underWay?.receivedBytes += UInt64(byteCount)
        guard people == 0 else { return credit() }
        loop.assumeIsolated().scheduleTask(in: Self.pace) { [weak self] in
            if self?.underWay?.number == number { self?.credit() }
        }
    }

    func ended(number: UInt64, _ ending: FetchEnding) {
        guard underWay?.number == number else { return }
        end(ending.cause == .complete ? .completed : .failed)
    }

    func workerLost(_ worker: Int) {
        if underWay?.worker == worker { end(.failed) }
    }

    private func credit() {
        guard let underWay else { return }
        line.credit(number: underWay.number, takenBytes: underWay.receivedBytes, worker: underWay.worker)
    }

    private func end(_ outcome: Outcome) {
        underWay = nil
        outcomes[outcome, default: 0] += 1
    }
}

extension ProfileFetcher: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_black_box_profile_fetches_total", .counter,
            "Profiles that were fetched for the black box, by outcome.",
            Outcome.allCases.map { ([("outcome", $0.rawValue)], Double(outcomes[$0] ?? 0)) })
    }
}
