// SPDX-License-Identifier: Apache-2.0

/// RegisterAgent streams on which nothing has come yet. An agent sends its registration with the stream's headers; a peer
/// that only opens streams must not keep them.
///
/// A state machine without I/O; times are ``ReadingClock``'s, so that what could not be read counts for nobody.
struct FirstMessageWatch<Call: AnyObject> {
    /// As long as a connection is kept on which nobody known calls.
    static var timeoutNanoseconds: UInt64 { 30_000_000_000 }

    private var waiting: [ObjectIdentifier: (call: Call, since: UInt64)] = [:]

    init() {}

    var count: Int { waiting.count }

    mutating func opened(_ call: Call, nowNanoseconds now: UInt64) {
        waiting[ObjectIdentifier(call)] = (call, now)
    }

    /// Its first message has come, or it has ended.
    mutating func settled(_ call: Call) { waiting[ObjectIdentifier(call)] = nil }

    /// - Returns: those that have waited for too long, once.
    mutating func expire(nowNanoseconds now: UInt64) -> [Call] {
        guard !waiting.isEmpty else { return [] }
        let expired = waiting.values.filter { now - min(now, $0.since) >= Self.timeoutNanoseconds }.map(\.call)
        for call in expired { settled(call) }
        return expired
    }
}
