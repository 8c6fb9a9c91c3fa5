// SPDX-License-Identifier: Apache-2.0

/// Holds off an identity that registers in a loop. A deployed agent whose next stream is refused registers again
/// without any wait, hundreds of times a second (wire contract, "How an agent behaves").
///
/// Counted is a registration whose predecessor ended less than a second after its answer by the agent's own doing;
/// more than five in ten seconds, and the identity is refused for ten.
struct ReconnectGuard {
    static let shortLifeNanoseconds: UInt64 = 1_000_000_000
    static let windowNanoseconds: UInt64 = 10_000_000_000
    static let allowedInWindow = 5
    static let holdNanoseconds: UInt64 = 10_000_000_000
    /// Bounds the memory that invented identities can take; the one untouched for longest makes room.
    static let maximumIdentities = 16_384

    private struct History {
        var answeredAt: UInt64?
        var isShortLived = false
        var strikes: [UInt64] = []
        var heldUntil: UInt64 = 0
        var touchedAt: UInt64
    }

    private var histories: [UInt64: History] = [:]

    /// Whether a registration of this identity may go on now.
    mutating func admits(_ identityHash: UInt64, nowNanoseconds now: UInt64) -> Bool {
        guard var history = histories[identityHash] else { return true }
        history.touchedAt = now
        defer { histories[identityHash] = history }
        if now < history.heldUntil { return false }
        if history.isShortLived {
            history.isShortLived = false
            history.strikes.removeAll { now - $0 > Self.windowNanoseconds }
            history.strikes.append(now)
            if history.strikes.count > Self.allowedInWindow {
                history.strikes.removeAll()
                history.heldUntil = now + Self.holdNanoseconds
                return false
            }
        }
        return true
    }

    mutating func answered(_ identityHash: UInt64, nowNanoseconds now: UInt64) {
        if histories[identityHash] == nil, histories.count >= Self.maximumIdentities { makeRoom() }
        histories[identityHash, default: History(touchedAt: now)].answeredAt = now
        histories[identityHash]!.touchedAt = now
    }

    /// The registration stream has ended. `byAgent` is false when this worker ended it: drain, reload, replacement.
    mutating func ended(_ identityHash: UInt64, byAgent: Bool, nowNanoseconds now: UInt64) {
        guard let answeredAt = histories[identityHash]?.answeredAt else { return }
        histories[identityHash]!.answeredAt = nil
        histories[identityHash]!.isShortLived = byAgent && now - answeredAt < Self.shortLifeNanoseconds
        histories[identityHash]!.touchedAt = now
    }

    /// Forgets who has been quiet for longer than anything here lasts.
    mutating func sweep(nowNanoseconds now: UInt64) {
        let span = Self.windowNanoseconds + Self.holdNanoseconds
        histories = histories.filter { $0.value.answeredAt != nil || now - $0.value.touchedAt <= span }
    }

    private mutating func makeRoom() {
        guard let oldest = histories.min(by: { $0.value.touchedAt < $1.value.touchedAt }) else { return }
        histories[oldest.key] = nil
    }
}
