// SPDX-License-Identifier: Apache-2.0
import Platform

/// One worker's count of an identity that does not stay.
struct ShortLives: Equatable {
    /// Registrations that ended within ``ReconnectGuard/shortLifeNanoseconds`` of their answer, in the
    /// ``ReconnectGuard/windowNanoseconds`` up to the last of them.
    var count: Int
    /// When that one ended, `CLOCK_MONOTONIC`.
    var lastNanoseconds: UInt64
}

/// Holds off an identity that registers in a loop. A deployed agent whose next stream is refused registers again
/// without any wait, hundreds of times a second (wire contract, "How an agent behaves").
///
/// Counted is a registration that ended less than a second after its answer by the agent's own doing; after more than five
/// in ten seconds, at whichever workers, the identity is refused for ten from the last on. Each worker writes its own part
/// of the count into its entry of the identity, and adds up what all say: so all come to the same without a word more.
///
/// A state machine without I/O.
struct ReconnectGuard {
    static let shortLifeNanoseconds: UInt64 = 1_000_000_000
    static let windowNanoseconds: UInt64 = 10_000_000_000
    /// Counts of two workers whose last lives ended further apart are not added up: each is of a window of its own, and
    /// the older one's would lie mostly outside the newer one's. An agent that loops in earnest is at all of them within a second.
    static let togetherNanoseconds = windowNanoseconds / 2
    static let allowedInWindow = 5
    static let quarantineNanoseconds: UInt64 = 10_000_000_000
    /// Bounds the memory that invented identities can take; the one whose last short life is longest ago makes room.
    static let maximumIdentities = 16_384

    /// Times at which short lives ended, oldest first.
    private var ends: [UInt64: [UInt64]] = [:]

    /// Until when an identity with these counts is refused; `nil` when it is not.
    static func quarantinedUntil(_ lives: [ShortLives], nowNanoseconds now: UInt64) -> UInt64? {
        guard let last = lives.map(\.lastNanoseconds).max() else { return nil }
        let count = lives.reduce(0) { $0 + (last - $1.lastNanoseconds <= togetherNanoseconds ? $1.count : 0) }
        guard count > allowedInWindow else { return nil }
        // A later time is not by a worker of ours: no agent is refused for longer than it is said.
        let until = min(last, now) + quarantineNanoseconds
        return now < until ? until : nil
    }

    func shortLives(of identityHash: UInt64) -> ShortLives? {
        guard let ends = ends[identityHash], let last = ends.last else { return nil }
        return ShortLives(count: ends.count, lastNanoseconds: last)
    }

    /// The registration stream has ended. `byAgent` is false when this worker ended it: drain, move, reload, replacement.
    /// - Returns: whether that was a short life.
    mutating func ended(
        _ identityHash: UInt64, answeredAtNanoseconds answered: UInt64?, byAgent: Bool, nowNanoseconds now: UInt64
    ) -> Bool {
        guard byAgent, let answered, now - min(now, answered) < Self.shortLifeNanoseconds else { return false }
        add([now], to: identityHash)
        return true
    }

    /// The count of a removed worker. Of that and the count here the larger is kept: it may be the same,
    /// read again.
    mutating func adopt(_ lives: ShortLives, of identityHash: UInt64) {
        let own = ends[identityHash] ?? []
        // Of another window than what is known here: one of the two is over.
        let newest = max(lives.lastNanoseconds, own.last ?? 0)
        guard newest.elapsed(since: lives.lastNanoseconds) <= Self.windowNanoseconds else { return }
        let missing = lives.count - own.count { newest - min(newest, $0) <= Self.windowNanoseconds }
        guard missing > 0 else { return }
        add(Array(repeating: lives.lastNanoseconds, count: missing), to: identityHash)
    }

    private mutating func add(_ times: [UInt64], to identityHash: UInt64) {
        if ends[identityHash] == nil, ends.count >= Self.maximumIdentities { makeRoom() }
        var kept = (ends[identityHash, default: []] + times).sorted()
        guard let last = kept.last else { return }
        kept.removeAll { last - min(last, $0) > Self.windowNanoseconds }
        // More than that says nothing more, and a slot has a byte for it.
        ends[identityHash] = kept.suffix(Int(UInt8.max))
    }

    /// Forgets what no longer counts.
    mutating func sweep(nowNanoseconds now: UInt64) {
        guard !ends.isEmpty else { return }
        ends = ends.filter { now - min(now, $0.value.last ?? 0) <= Self.remembersNanoseconds }
    }

    /// How long the last of some short lives counts for anything.
    static let remembersNanoseconds = max(windowNanoseconds, quarantineNanoseconds)

    private mutating func makeRoom() {
        guard let oldest = ends.min(by: { $0.value.last ?? 0 < $1.value.last ?? 0 }) else { return }
        ends[oldest.key] = nil
    }
}
