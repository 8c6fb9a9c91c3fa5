// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestCore

@Suite struct ReconnectGuardTests {
    private let second: UInt64 = 1_000_000_000
    private let hash: UInt64 = 42

    /// Lives of 10 ms each that end at these seconds.
    private func guardian(_ ends: [UInt64]) -> ReconnectGuard {
        var guardian = ReconnectGuard()
        for end in ends {
            let now = end * second
            _ = guardian.ended(hash, answeredAtNanoseconds: now - 10_000_000, byAgent: true, nowNanoseconds: now)
        }
        return guardian
    }

    private func heldUntil(_ guardians: [ReconnectGuard], at now: UInt64) -> UInt64? {
        ReconnectGuard.quarantinedUntil(guardians.compactMap { $0.shortLives(of: hash) }, nowNanoseconds: now * second)
    }

    @Test func reconnectGuard_quarantinesAtSixReconnectsInTheWindow() {
        #expect(heldUntil([guardian([100, 101, 102, 103, 104])], at: 104) == nil)
        #expect(heldUntil([guardian([100, 101, 102, 103, 104, 105])], at: 105) == 115 * second)
        #expect(heldUntil([guardian([100, 101, 102, 103, 104, 105])], at: 114) == 115 * second)
        #expect(heldUntil([guardian([100, 101, 102, 103, 104, 105])], at: 115) == nil)
    }

    @Test func reconnectGuard_forgetsReconnectsOlderThanTheWindow() {
        #expect(heldUntil([guardian([100, 103, 106, 109, 112, 115])], at: 115) == nil)
    }

    @Test func reconnectGuard_addsTheCountsOfAllWorkers() {
        let three = [guardian([100, 103]), guardian([101, 104]), guardian([102, 105])]
        #expect(heldUntil(three, at: 105) == 115 * second)
        #expect(heldUntil(Array(three.prefix(2)), at: 105) == nil)
        // The third one's count is too old by now.
        #expect(heldUntil([guardian([100, 101, 102]), guardian([120, 121, 122, 123])], at: 123) == nil)
    }

    @Test func reconnectGuard_doesNotAddCountsOfDifferentWindows() {
        // Three that ended within ten seconds up to 100, three up to 106: the first of them long before.
        #expect(heldUntil([guardian([92, 93, 100]), guardian([104, 105, 106])], at: 106) == nil)
        #expect(heldUntil([guardian([98, 99, 101]), guardian([104, 105, 106])], at: 106) == 116 * second)
    }

    @Test func reconnectGuard_countsOnlyShortConnectionsThatTheAgentEnded() {
        var guardian = ReconnectGuard()
        let now = 100 * second
        #expect(guardian.ended(hash, answeredAtNanoseconds: now - second, byAgent: true, nowNanoseconds: now) == false)
        #expect(guardian.ended(hash, answeredAtNanoseconds: now - 1, byAgent: false, nowNanoseconds: now) == false)
        #expect(guardian.ended(hash, answeredAtNanoseconds: nil, byAgent: true, nowNanoseconds: now) == false)
        #expect(guardian.shortLives(of: hash) == nil)
        #expect(
            guardian.ended(hash, answeredAtNanoseconds: now - second + 1, byAgent: true, nowNanoseconds: now) == true)
        #expect(guardian.shortLives(of: hash) == ShortLives(count: 1, lastNanoseconds: now))
    }

    @Test func reconnectGuard_continuesAPredecessorsCount() {
        var guardian = ReconnectGuard()
        guardian.adopt(ShortLives(count: 5, lastNanoseconds: 100 * second), of: hash)
        #expect(heldUntil([guardian], at: 100) == nil)
        _ = guardian.ended(hash, answeredAtNanoseconds: 101 * second, byAgent: true, nowNanoseconds: 101 * second)
        #expect(heldUntil([guardian], at: 101) == 111 * second)
    }

    @Test func reconnectGuard_doesNotAddAnAdoptedCountToItsOwn() {
        var guardian = guardian([100, 101, 102])
        for _ in 0..<3 { guardian.adopt(ShortLives(count: 5, lastNanoseconds: 101 * second), of: hash) }
        #expect(guardian.shortLives(of: hash) == ShortLives(count: 5, lastNanoseconds: 102 * second))
        guardian.adopt(ShortLives(count: 2, lastNanoseconds: 103 * second), of: hash)
        #expect(guardian.shortLives(of: hash) == ShortLives(count: 5, lastNanoseconds: 102 * second))
    }

    @Test func reconnectGuard_keepsTheCountOfTheLaterWindow() {
        var guardian = guardian([100, 101, 102])
        guardian.adopt(ShortLives(count: 9, lastNanoseconds: 91 * second), of: hash)
        #expect(guardian.shortLives(of: hash) == ShortLives(count: 3, lastNanoseconds: 102 * second))
        guardian.adopt(ShortLives(count: 1, lastNanoseconds: 113 * second), of: hash)
        #expect(guardian.shortLives(of: hash) == ShortLives(count: 1, lastNanoseconds: 113 * second))
    }

    @Test func reconnectGuard_boundsAQuarantineFromAFutureTime() {
        let lives = [ShortLives(count: 200, lastNanoseconds: .max)]
        #expect(ReconnectGuard.quarantinedUntil(lives, nowNanoseconds: 5 * second) == 15 * second)
    }

    @Test func reconnectGuard_forgetsQuietIdentities() {
        var guardian = guardian([100])
        guardian.sweep(nowNanoseconds: 110 * second)
        #expect(guardian.shortLives(of: hash) != nil)
        guardian.sweep(nowNanoseconds: 111 * second)
        #expect(guardian.shortLives(of: hash) == nil)
    }

    @Test func reconnectGuard_limitsIdentities() {
        var guardian = ReconnectGuard()
        for hash in 1...UInt64(ReconnectGuard.maximumIdentities + 1) {
            _ = guardian.ended(hash, answeredAtNanoseconds: hash, byAgent: true, nowNanoseconds: hash)
        }
        #expect(guardian.shortLives(of: 1) == nil)
        #expect(guardian.shortLives(of: 2) != nil)
    }
}
