// SPDX-License-Identifier: Apache-2.0

/// How far a call has come. Only the transitions below change it.
///
///     opening -> active -> finished -> closed
///
/// The service may finish a call while it opens it; a call that it does not take is finished, too. A stream that ends by
/// itself closes a call that is not finished.
enum GRPCCallState {
    /// The service looks at the call.
    case opening
    /// The handler hears of all that comes.
    case active(any GRPCCallHandler)
    /// The status is queued, and its bytes may be on their way still. The handler hears of the end alone.
    case finished(GRPCCallEnd, atNanoseconds: UInt64, (any GRPCCallHandler)?)
    /// The stream is gone.
    case closed

    var isActive: Bool { if case .active = self { true } else { false } }

    /// Nothing more is sent or taken.
    var isFinished: Bool {
        switch self {
        case .opening, .active: false
        case .finished, .closed: true
        }
    }

    /// `nil` before the call has a handler, and after the handler was told of the end.
    var handler: (any GRPCCallHandler)? {
        switch self {
        case .active(let handler): handler
        case .finished(_, _, let handler): handler
        case .opening, .closed: nil
        }
    }

    /// How it was finished.
    var end: GRPCCallEnd? { if case .finished(let end, _, _) = self { end } else { nil } }

    /// On ``StallFreeClock``.
    var finishedNanoseconds: UInt64? {
        if case .finished(_, let time, _) = self { time } else { nil }
    }

    /// The service has taken the call.
    mutating func open(_ handler: any GRPCCallHandler) {
        switch self {
        case .opening: self = .active(handler)
        case .finished(let end, let time, nil): self = .finished(end, atNanoseconds: time, handler)
        case .active, .finished, .closed: break
        }
    }

    /// The call ends, by either side's doing.
    /// - Returns: false when it has ended before.
    mutating func finish(_ end: GRPCCallEnd, nowNanoseconds now: UInt64) -> Bool {
        guard !isFinished else { return false }
        self = .finished(end, atNanoseconds: now, handler)
        return true
    }

    /// The stream is over.
    /// - Returns: the state before.
    mutating func close() -> Self {
        defer { self = .closed }
        return self
    }
}
