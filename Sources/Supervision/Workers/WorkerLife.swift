// SPDX-License-Identifier: Apache-2.0
import Platform

/// One worker's life as the supervisor sees it: starting, ready, being ended, dead and waiting for a successor. A pure
/// state machine: what happens goes in with its time (of the ``SteadyClock``), what to do comes out.
public struct WorkerLife: Sendable {
    /// A worker that is not ready by then never will be: starting takes milliseconds, a scan of a full lane a second.
    public static let readyLimitNanoseconds: UInt64 = 10_000_000_000
    /// For one that stood by, from its predecessor's end on.
    public static let takeLaneLimitNanoseconds: UInt64 = 4_000_000_000
    /// Between SIGABRT (which leaves a core) and SIGKILL (which nothing survives).
    public static let abortLimitNanoseconds: UInt64 = 500_000_000

    public enum State: Equatable, Sendable {
        /// No process; one is due at this time.
        case waiting(untilNanoseconds: UInt64)
        /// Its process runs and has not yet said that it is ready.
        case starting(sinceNanoseconds: UInt64)
        /// Its process could serve, and waits for the lane of a predecessor that still does.
        case standby
        case ready(sinceNanoseconds: UInt64)
        /// It has been aborted for a reason and is killed at this time.
        case aborted(DeathCause, killAtNanoseconds: UInt64)
        /// It has been killed for a reason; its end will be told.
        case killed(DeathCause)
        /// No process, and none until somebody asks for it.
        case drained
        /// No process, and none will be.
        case finished
    }

    public enum Action: Equatable, Sendable {
        case start
        /// SIGABRT, and SIGCONT so that a stopped process takes it.
        case abort(DeathCause)
        case kill(DeathCause)
    }

    /// What the supervisor does and says after a death.
    public struct Death: Equatable, Sendable {
        public let cause: DeathCause
        /// Since the start of the process.
        public let uptimeNanoseconds: UInt64
        /// In a row, with this one.
        public let deathsInRow: Int
        /// Until the successor starts; `nil`: there will be none.
        public let restartDelayNanoseconds: UInt64?
    }

    public private(set) var state: State
    public private(set) var policy: RestartPolicy
    public internal(set) var lastDeath: Death?
    /// Of the last death that nobody had asked for, also of a predecessor whose deaths count on.
    public private(set) var lastFailure: DeathCause?
    public private(set) var startedAtNanoseconds: UInt64 = 0
    public private(set) var readyAtNanoseconds: UInt64?
    private(set) var isEnding = false
    private(set) var isDraining = false

    /// - Parameter policy: of its predecessor, whose deaths count on.
    public init(nowNanoseconds: UInt64, policy: RestartPolicy = RestartPolicy()) {
        state = .waiting(untilNanoseconds: nowNanoseconds)
        self.policy = policy
    }

    /// The successor of one that serves: its deaths count on, and its end will have been wanted.
    public init(successorOf life: WorkerLife, nowNanoseconds: UInt64) {
        self.init(nowNanoseconds: nowNanoseconds, policy: life.policy)
        lastFailure = life.lastFailure
        lastDeath = Death(
            cause: .requested, uptimeNanoseconds: 0, deathsInRow: life.policy.deathsInRow, restartDelayNanoseconds: 0)
    }

    /// One that has a past, handed over by the supervisor that this one was.
    init(
        state: State, policy: RestartPolicy, startedAtNanoseconds: UInt64, readyAtNanoseconds: UInt64?,
        isEnding: Bool, isDraining: Bool, lastCause: DeathCause?, lastFailure: DeathCause? = nil
    ) {
        self.state = state
        self.policy = policy
        self.startedAtNanoseconds = startedAtNanoseconds
        self.readyAtNanoseconds = readyAtNanoseconds
        self.isEnding = isEnding
        self.isDraining = isDraining
        self.lastFailure = lastFailure
        lastDeath = lastCause.map {
            Death(cause: $0, uptimeNanoseconds: 0, deathsInRow: policy.deathsInRow, restartDelayNanoseconds: nil)
        }
    }

    public var hasProcess: Bool {
        switch state {
        case .waiting, .drained, .finished: false
        case .starting, .standby, .ready, .aborted, .killed: true
        }
    }

    public var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    /// Its process runs.
    public mutating func started(nowNanoseconds: UInt64) {
        precondition(!hasProcess, "a worker is started only when its predecessor is gone")
        startedAtNanoseconds = nowNanoseconds
        readyAtNanoseconds = nil
        state = .starting(sinceNanoseconds: nowNanoseconds)
    }

    /// It could not even be started; counts as a death.
    public mutating func couldNotStart(nowNanoseconds: UInt64) -> Death {
        precondition(!hasProcess, "a worker is started only when its predecessor is gone")
        startedAtNanoseconds = nowNanoseconds
        readyAtNanoseconds = nil
        return bury(.exited(code: 127), nowNanoseconds)
    }

    /// It has said that it stands by. `false`: it should not have.
    public mutating func stoodBy() -> Bool {
        guard case .starting = state, !isEnding else { return false }
        state = .standby
        return true
    }

    /// It has been told that the lane is its own, and is to become ready.
    public mutating func tookLane(nowNanoseconds: UInt64) {
        guard case .standby = state else { return }
        // It has started already, and agents wait: less time than a start gets.
        state = .starting(
            sinceNanoseconds: nowNanoseconds
                - min(
                    nowNanoseconds, Self.readyLimitNanoseconds - Self.takeLaneLimitNanoseconds))
    }

    /// Who was to start waits some more: something that it needs is not free yet.
    public mutating func postpone(untilNanoseconds: UInt64) {
        guard case .waiting = state else { return }
        state = .waiting(untilNanoseconds: untilNanoseconds)
    }

    /// Its process is to end, and to stay away until ``resume(nowNanoseconds:)``. It is still watched until it is gone.
    public mutating func drain() {
        isDraining = true
        if !hasProcess, state != .finished { state = .drained }
    }

    /// Starts it again, at once, whatever has been.
    public mutating func resume(nowNanoseconds: UInt64) {
        isDraining = false
        switch state {
        case .drained, .waiting: state = .waiting(untilNanoseconds: nowNanoseconds)
        default: break
        }
    }

    /// It has said that it is ready. `false`: too late, or said before; nothing changes.
    public mutating func becameReady(nowNanoseconds: UInt64) -> Bool {
        guard case .starting = state else { return false }
        readyAtNanoseconds = nowNanoseconds
        state = .ready(sinceNanoseconds: nowNanoseconds)
        return true
    }

    /// Its process is gone and reaped.
    public mutating func ended(_ cause: (DeathCause?) -> DeathCause, nowNanoseconds: UInt64) -> Death {
        let verdict: DeathCause? =
            switch state {
            case .aborted(let cause, _), .killed(let cause): cause
            default: isEnding || isDraining ? .requested : nil
            }
        return bury(cause(verdict), nowNanoseconds)
    }

    /// From now on its end is wanted, and no successor comes. It is still watched until it is gone.
    public mutating func end() {
        isEnding = true
        if !hasProcess { state = .finished }
    }

    /// Ends it at once, as wanted.
    public mutating func killNow() -> Action? {
        end()
        guard hasProcess else { return nil }
        state = .killed(.requested)
        return .kill(.requested)
    }

    /// Ends it at once; a successor comes, with no delay if the end is as requested.
    public mutating func kill(_ cause: DeathCause) -> Action? {
        guard hasProcess else { return nil }
        state = .killed(cause)
        return .kill(cause)
    }

    /// Time passes.
    ///
    /// - Parameter hang: what is wrong with it, if something is; counts only while it is ready.
    public mutating func tick(hang: Hang?, nowNanoseconds: UInt64) -> Action? {
        switch state {
        case .waiting(let until):
            return nowNanoseconds >= until ? .start : nil
        case .starting(let since):
            guard nowNanoseconds >= since + Self.readyLimitNanoseconds else { return nil }
            return abort(.notReady, nowNanoseconds)
        case .ready(let since):
            policy.lives(readySince: since, nowNanoseconds: nowNanoseconds)
            guard let hang else { return nil }
            return abort(.hung(hang), nowNanoseconds)
        case .aborted(let cause, let killAt):
            guard nowNanoseconds >= killAt else { return nil }
            state = .killed(cause)
            return .kill(cause)
        case .standby, .drained, .killed, .finished:
            return nil
        }
    }

    private mutating func abort(_ cause: DeathCause, _ nowNanoseconds: UInt64) -> Action {
        state = .aborted(cause, killAtNanoseconds: nowNanoseconds + Self.abortLimitNanoseconds)
        return .abort(cause)
    }

    private mutating func bury(_ cause: DeathCause, _ nowNanoseconds: UInt64) -> Death {
        var delay: UInt64?
        if isEnding {
            state = .finished
        } else if isDraining {
            state = .drained
        } else if cause == .requested {
            // Nothing is wrong with it.
            state = .waiting(untilNanoseconds: nowNanoseconds)
            delay = 0
        } else {
            lastFailure = cause
            let wait = policy.died(readySince: readyAtNanoseconds, nowNanoseconds: nowNanoseconds)
            state = .waiting(untilNanoseconds: nowNanoseconds + wait)
            delay = wait
        }
        let death = Death(
            cause: cause, uptimeNanoseconds: nowNanoseconds.elapsed(since: startedAtNanoseconds),
            deathsInRow: policy.deathsInRow,
            restartDelayNanoseconds: delay)
        lastDeath = death
        return death
    }
}
