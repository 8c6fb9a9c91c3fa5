// SPDX-License-Identifier: Apache-2.0
import Platform

/// RegisterAgent streams on which nothing has come yet. An agent sends its registration with the stream's headers; a peer
/// that only opens streams must not keep them.
///
/// A state machine without I/O; times are ``AgentClock``'s, so that what could not be read counts for nobody.
struct FirstMessageWatch<Call: AnyObject> {
    /// As long as a connection is kept on which nobody known calls.
    static var timeoutNanoseconds: UInt64 { 30_000_000_000 }
    /// Of one connection. A mesh brings the agents of a hundred nodes on one, and each sends its message at once.
    static var mostPerConnection: Int { 256 }
    /// Of all connections together. A stream costs some 3 KiB.
    static var most: Int { 8192 }

    private struct Waiting {
        let call: Call
        let connection: UInt64
        let source: NetworkSource
        let since: UInt64
    }

    private var waiting: [ObjectIdentifier: Waiting] = [:]
    private var perConnection: [UInt64: Int] = [:]

    init() {}

    var count: Int { waiting.count }

    /// A stream has been opened.
    ///
    /// - Returns: streams that have to go to make room: those of the connection that has most, of the source that does. `nil`
    ///   when the connection has too many itself: then the stream is not taken.
    mutating func opened(
        _ call: Call, on connection: UInt64 = 0, from source: NetworkSource = .unknown, nowNanoseconds now: UInt64
    ) -> [Call]? {
        guard perConnection[connection, default: 0] < Self.mostPerConnection else { return nil }
        let crowd = waiting.count < Self.most ? [] : largestCrowd()
        for call in crowd { settled(call) }
        waiting[ObjectIdentifier(call)] = Waiting(call: call, connection: connection, source: source, since: now)
        perConnection[connection, default: 0] += 1
        return crowd
    }

    /// Its first message has come, or it has ended.
    mutating func settled(_ call: Call) {
        guard let found = waiting.removeValue(forKey: ObjectIdentifier(call)) else { return }
        let left = perConnection[found.connection, default: 1] - 1
        perConnection[found.connection] = left > 0 ? left : nil
    }

    /// - Returns: those that have waited for too long, once.
    mutating func expire(nowNanoseconds now: UInt64) -> [Call] {
        guard !waiting.isEmpty else { return [] }
        let expired = waiting.values.filter { now - min(now, $0.since) >= Self.timeoutNanoseconds }.map(\.call)
        for call in expired { settled(call) }
        return expired
    }

    private func largestCrowd() -> [Call] {
        var perSource: [NetworkSource: Int] = [:]
        for one in waiting.values { perSource[one.source, default: 0] += 1 }
        func rank(_ one: Waiting) -> (Int, Int, UInt64) {
            // Of equals the one that has waited longest: an agent's own is there for a moment only.
            (perSource[one.source, default: 0], perConnection[one.connection, default: 0], .max - one.since)
        }
        guard let victim = waiting.values.max(by: { rank($0) < rank($1) }) else { return [] }
        return waiting.values.filter { $0.connection == victim.connection }.map(\.call)
    }
}
