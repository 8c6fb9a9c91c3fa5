// SPDX-License-Identifier: Apache-2.0

/// The entry of one worker in `control`.
public struct WorkerTableEntry: Hashable, Sendable {
    public enum State: UInt8, CaseIterable, Sendable {
        /// It is gone, or was never there (generation 0).
        case dead = 0
        /// Its process is there, but has not said that it is ready.
        case starting = 1
        case running = 2
        /// It serves what it has and takes nothing new: it is about to end.
        case draining = 3
        /// It was sent away by an administrator, and stays away until it is restarted.
        case drained = 4

        /// It has no process, and nothing in its ring changes any more.
        public var isGone: Bool { self == .dead || self == .drained }
    }

    /// Why a worker ended.
    public enum Cause: UInt8, CaseIterable, Sendable {
        /// None has ended yet.
        case none = 0
        /// It ended by itself; the detail is its exit code.
        case exit = 1
        /// Somebody else's signal, which is the detail.
        case signal = 2
        /// A fault of its own; the detail is the signal.
        case fault = 3
        /// It did nothing any more and was ended for that.
        case hung = 4
        /// It did not become ready in time.
        case notReady = 5
        /// It was to end.
        case requested = 6

        /// In snake case, as the value of a metric's label.
        public var name: String {
            switch self {
            case .none: "none"
            case .exit: "exit"
            case .signal: "signal"
            case .fault: "fault"
            case .hung: "hung"
            case .notReady: "not_ready"
            case .requested: "requested"
            }
        }
    }

    /// Rises with each start of this worker.
    public var generation: UInt64 = 0
    public var processID: Int32 = 0
    public var state = State.dead
    /// Of the last death.
    public var cause = Cause.none
    public var causeDetail: Int32 = 0
    /// Wall clock, since the epoch.
    public var startedAtNanoseconds: Int64 = 0
    public var startedAtMonotonicNanoseconds: UInt64 = 0
    /// Monotonic: when the state became what it is.
    public var stateSinceNanoseconds: UInt64 = 0
    /// Wall clock: when the last one ended.
    public var diedAtNanoseconds: Int64 = 0
    /// Deaths in a row; from some on it counts as degraded.
    public var deathsInRow: UInt32 = 0
    /// It drains, or is gone, and a successor takes its place within moments.
    public var isBeingReplaced = false
    private var restarts = SIMD8<UInt64>(repeating: 0)

    public init() {}

    /// How often it has been started again after a death of that cause.
    public func restarts(after cause: Cause) -> UInt64 { restarts[Int(cause.rawValue)] }

    public var restartCount: UInt64 { restarts.wrappedSum() }

    public mutating func addRestart(after cause: Cause) { restarts[Int(cause.rawValue)] &+= 1 }

    // MARK: Words: one each for the members above in their order, where they do not share one, from 8 on the restarts.

    static let wordCount = 20
    private static let firstRestartWord = 8
    private static let deathsWord = 7
    private static let flagsWord = 16
    private static let replacedFlag: UInt64 = 1

    var words: InlineArray<20, UInt64> {
        var words = InlineArray<20, UInt64>(repeating: 0)
        words[0] = generation
        words[1] = pack(low: UInt32(bitPattern: processID), high: UInt32(state.rawValue))
        words[2] = pack(low: UInt32(bitPattern: causeDetail), high: UInt32(cause.rawValue))
        words[3] = UInt64(bitPattern: startedAtNanoseconds)
        words[4] = startedAtMonotonicNanoseconds
        words[5] = stateSinceNanoseconds
        words[6] = UInt64(bitPattern: diedAtNanoseconds)
        words[Self.deathsWord] = UInt64(deathsInRow)
        for index in 0..<restarts.scalarCount { words[Self.firstRestartWord + index] = restarts[index] }
        words[Self.flagsWord] = isBeingReplaced ? Self.replacedFlag : 0
        return words
    }

    /// A state that this version does not know counts as dead, a cause as none.
    init(words: InlineArray<20, UInt64>) {
        generation = words[0]
        processID = Int32(bitPattern: low(words[1]))
        state = UInt8(exactly: high(words[1])).flatMap(State.init) ?? .dead
        causeDetail = Int32(bitPattern: low(words[2]))
        cause = UInt8(exactly: high(words[2])).flatMap(Cause.init) ?? .none
        startedAtNanoseconds = Int64(bitPattern: words[3])
        startedAtMonotonicNanoseconds = words[4]
        stateSinceNanoseconds = words[5]
        diedAtNanoseconds = Int64(bitPattern: words[6])
        deathsInRow = UInt32(truncatingIfNeeded: words[Self.deathsWord])
        for index in 0..<restarts.scalarCount { restarts[index] = words[Self.firstRestartWord + index] }
        isBeingReplaced = words[Self.flagsWord] & Self.replacedFlag != 0
    }
}
