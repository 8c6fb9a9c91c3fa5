// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Supervision

@Suite struct SuspicionTests {
    private let second: UInt64 = 1_000_000_000

    /// `#expect` cannot look at what changes what it looks at.
    private func expect(_ wanted: Bool, _ found: Bool, _ why: Comment? = nil) {
        #expect(wanted == found, why)
    }

    @Test func twoDeathsOverOneAgentHoldItOff() {
        var suspicion = Suspicion()
        expect(false, suspicion.ingestDied(over: 7, nowNanoseconds: second))
        expect(false, suspicion.ingestDied(over: 8, nowNanoseconds: 2 * second))
        expect(true, suspicion.ingestDied(over: 7, nowNanoseconds: 3 * second))
        #expect(suspicion.held == [7: 63 * second])
        suspicion.forget(nowNanoseconds: 64 * second)
        #expect(suspicion.held.isEmpty)
        // It has shown what it does: once more is enough now.
        expect(true, suspicion.ingestDied(over: 7, nowNanoseconds: 65 * second))
    }

    @Test func deathsFarApartHaveNothingToDoWithOneAnother() {
        var suspicion = Suspicion()
        expect(false, suspicion.ingestDied(over: 7, nowNanoseconds: second))
        suspicion.forget(nowNanoseconds: 601 * second)
        expect(false, suspicion.ingestDied(over: 7, nowNanoseconds: 602 * second))
    }

    @Test func inventedAgentsDoNotFillTheMemory() {
        var suspicion = Suspicion()
        _ = suspicion.ingestDied(over: 1, nowNanoseconds: 1)
        for hash in 2...UInt64(Suspicion.limit + 1) { _ = suspicion.ingestDied(over: hash, nowNanoseconds: hash) }
        expect(false, suspicion.ingestDied(over: 1, nowNanoseconds: 100), "the one named longest ago made room")
        expect(true, suspicion.ingestDied(over: UInt64(Suspicion.limit), nowNanoseconds: 101))
    }

    @Test func fiveDeathsOverOneLaneReplaceIt() {
        var suspicion = Suspicion()
        for death in 1...4 as ClosedRange<UInt64> {
            expect(false, suspicion.exporterDied(over: 2, nowNanoseconds: death * second))
            expect(false, suspicion.exporterDied(over: nil, nowNanoseconds: death * second))
        }
        expect(false, suspicion.exporterDied(over: 1, nowNanoseconds: 5 * second))
        expect(true, suspicion.exporterDied(over: 2, nowNanoseconds: 5 * second))
        expect(true, suspicion.exporterDied(over: nil, nowNanoseconds: 5 * second))
        expect(false, suspicion.exporterDied(over: 2, nowNanoseconds: 6 * second), "the count begins anew")
    }
}
