// SPDX-License-Identifier: Apache-2.0

/// The outstanding request of one stream of an agent: there is at most one, and any message that comes after it answers
/// everybody who waits (wire contract, "Matching answers"). A state machine without I/O; times are `CLOCK_MONOTONIC`.
struct OutstandingRequests {
    /// How long an answer is waited for. All in nanoseconds.
    struct Timeouts: Equatable {
        /// An agent that has owed an answer for longer is not waited for any more…
        var hungAfter: UInt64
        /// …and after this the request counts as lost: the agent is asked anew.
        var lostAfter: UInt64
    }

    enum Verdict: Equatable {
        case send
        /// It has been asked already: the answer to that serves.
        case wait
        case hung
    }

    let timeouts: Timeouts
    private(set) var sentAtNanoseconds: UInt64?
    /// Requests that were given up; their answers may still come.
    private var lost = 0

    /// More than this an agent cannot owe and still come back with.
    private static let maximumLost = 8

    init(_ timeouts: Timeouts) {
        self.timeouts = timeouts
    }

    /// Whether a message would answer anything.
    var expectsAnswer: Bool { sentAtNanoseconds != nil || lost > 0 }

    /// Whether an answer is still to be hoped for.
    func isWaiting(nowNanoseconds now: UInt64) -> Bool {
        guard let sentAt = sentAtNanoseconds else { return false }
        return now - min(now, sentAt) < timeouts.lostAfter
    }

    /// Somebody wants an answer. After `.send` the request has to be sent.
    mutating func ask(nowNanoseconds now: UInt64) -> Verdict {
        if let sentAt = sentAtNanoseconds {
            let age = now - min(now, sentAt)
            if age < timeouts.hungAfter { return .wait }
            if age < timeouts.lostAfter { return .hung }
            lost = min(lost + 1, Self.maximumLost)
        }
        sentAtNanoseconds = now
        return .send
    }

    /// An answer has come and was dropped: the agent is asked anew when somebody wants one.
    mutating func lose() { _ = answered() }

    /// A message has come.
    /// - Returns: false when nothing was asked that it could answer.
    mutating func answered() -> Bool {
        if sentAtNanoseconds != nil {
            sentAtNanoseconds = nil
            return true
        }
        guard lost > 0 else { return false }
        lost -= 1
        return true
    }
}
