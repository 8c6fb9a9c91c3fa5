// SPDX-License-Identifier: Apache-2.0

/// The unanswered requests of one StreamMetrics stream, oldest first. Answers carry no id: each belongs to the oldest
/// (wire contract, "Matching answers"). Holds at most one request for the latest values and one part of a window.
struct RequestQueue {
    enum Kind: Equatable {
        case latest
        case window
    }

    private struct Request {
        let kind: Kind
        let sentAtNanoseconds: UInt64
    }

    private var first: Request?
    private var second: Request?

    /// When the outstanding request for the latest values was sent, `CLOCK_MONOTONIC`.
    var latestSentAtNanoseconds: UInt64? { find(.latest)?.sentAtNanoseconds }
    /// When the request was sent whose answer comes next, `CLOCK_MONOTONIC`.
    var oldestSentAtNanoseconds: UInt64? { first?.sentAtNanoseconds }
    var isWindowOutstanding: Bool { find(.window) != nil }
    var isEmpty: Bool { first == nil }

    private func find(_ kind: Kind) -> Request? {
        if let first, first.kind == kind { return first }
        if let second, second.kind == kind { return second }
        return nil
    }

    mutating func sent(_ kind: Kind, atNanoseconds now: UInt64) {
        precondition(find(kind) == nil, "one \(kind) request outstanding a stream at most")
        let request = Request(kind: kind, sentAtNanoseconds: now)
        if first == nil { first = request } else { second = request }
    }

    /// The request that the answer just received belongs to; `nil` when nobody asked.
    mutating func answered() -> (kind: Kind, sentAtNanoseconds: UInt64)? {
        guard let oldest = first else { return nil }
        first = second
        second = nil
        return (oldest.kind, oldest.sentAtNanoseconds)
    }
}
