// SPDX-License-Identifier: Apache-2.0

/// When and where an agent has registered: of two registrations of one id the earlier is the older, of the same time the one
/// at the worker with the lower index.
struct RegistrationMark: Comparable {
    /// Wall clock, nanoseconds since the epoch.
    var registeredAtNanoseconds: Int64
    var worker: Int

    static func < (one: RegistrationMark, other: RegistrationMark) -> Bool {
        (one.registeredAtNanoseconds, one.worker) < (other.registeredAtNanoseconds, other.worker)
    }
}

/// One registration of this worker, and the others of the same id that are online at other workers. Both sides follow the
/// same rule by looking at each other's tables; neither waits for the other:
///
/// | seen elsewhere | what happens here |
/// |---|---|
/// | a newer registration | the connection is pinged. No answer: it is dropped. An answer is published in the entry |
/// | an older registration, its connection confirmed since this one came | the two are duplicates: this one is ended |
/// | an older registration that is not confirmed | nothing: the agent has most likely come over from there |
///
/// So an older registration whose connection lives always stays, and a newer one always gives way to it. A state machine
/// without I/O; times are `CLOCK_MONOTONIC`.
struct RegistrationConflict {
    /// Another registration of the same id, as another worker's table shows it.
    struct RemoteRegistration {
        var mark: RegistrationMark
        /// When its connection last answered a ping that a conflict had caused; 0: never.
        var confirmedAtNanoseconds: UInt64
    }

    /// The outcome for the older registration that a newer one has met.
    enum Outcome: Equatable {
        /// Its connection has answered.
        case alive
        /// It is online no more.
        case gone
        /// Its worker has decided nothing in time.
        case unanswered
        /// The newer one has ended before.
        case withdrawn
    }

    enum Action: Equatable {
        /// The connection is to be asked for a sign of life: ``pingEnded(isAlive:nowNanoseconds:)``.
        case ping
        /// The connection lives: said in the agent's entry, for the other workers.
        case publishConfirmation
        /// The connection is dead.
        case drop(isRegisteredElsewhere: Bool)
        /// An older registration has the id: this one ends.
        case yieldToOlder
        case count(Outcome)
    }

    private enum Connection: Equatable {
        case resting
        /// Because of that newer registration; `nil`: because of one at this worker.
        case pinging(RegistrationMark?)
        /// The registration is over.
        case ended
    }

    private enum Older: Equatable {
        case absent
        case undecided(since: UInt64)
        /// It has been waited for in vain.
        case ignored
    }

    /// The other worker looks four times a second, and gives a ping 1 s by a clock that ticks as often.
    static let timeoutNanoseconds: UInt64 = 1_750_000_000

    let mark: RegistrationMark
    /// When this registration came.
    let sinceNanoseconds: UInt64
    /// The last sign of life: the registration itself, or the answer to a ping.
    private(set) var aliveAtNanoseconds: UInt64
    private var connection = Connection.resting
    private var older = Older.absent
    /// Newer registrations up to this one have been answered by a confirmation.
    private var confirmedAgainst: RegistrationMark?

    init(mark: RegistrationMark, sinceNanoseconds: UInt64) {
        self.mark = mark
        self.sinceNanoseconds = sinceNanoseconds
        aliveAtNanoseconds = sinceNanoseconds
    }

    /// - Parameter others: all other registrations of this id that are online elsewhere.
    mutating func check(against others: [RemoteRegistration], nowNanoseconds now: UInt64) -> [Action] {
        guard connection != .ended else { return [] }
        let before = others.filter { $0.mark < mark }
        if before.contains(where: { $0.confirmedAtNanoseconds >= sinceNanoseconds }) {
            connection = .ended
            return [.count(.alive), .yieldToOlder]
        }
        var actions = judgeOlder(isPresent: !before.isEmpty, now)
        if case .resting = connection, let newest = others.map(\.mark).max(),
            newest > max(mark, confirmedAgainst ?? mark)
        {
            connection = .pinging(newest)
            actions.append(.ping)
        }
        return actions
    }

    private mutating func judgeOlder(isPresent: Bool, _ now: UInt64) -> [Action] {
        switch older {
        case .absent:
            if isPresent { older = .undecided(since: now) }
        case .undecided(let since):
            if !isPresent {
                older = .absent
                return [.count(.gone)]
            }
            if now - min(now, since) >= Self.timeoutNanoseconds {
                older = .ignored
                return [.count(.unanswered)]
            }
        case .ignored:
            if !isPresent { older = .absent }
        }
        return []
    }

    /// A registration of the same identity has come to this worker and waits to hear whether this one lives.
    mutating func challenge() -> [Action] {
        guard case .resting = connection else { return [] }
        connection = .pinging(nil)
        return [.ping]
    }

    mutating func pingEnded(isAlive: Bool, nowNanoseconds now: UInt64) -> [Action] {
        guard case .pinging(let newer) = connection else { return [] }
        guard isAlive else {
            let actions = end()
            return actions + [.drop(isRegisteredElsewhere: newer != nil)]
        }
        connection = .resting
        aliveAtNanoseconds = now
        if let newer { confirmedAgainst = max(confirmedAgainst ?? newer, newer) }
        return [.publishConfirmation]
    }

    /// The registration is over, for whatever reason.
    mutating func end() -> [Action] {
        guard connection != .ended else { return [] }
        connection = .ended
        if case .undecided = older { return [.count(.withdrawn)] }
        return []
    }
}
