// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SupervisorCore

@Suite struct CrashAttributionTests {
    private let second: UInt64 = 1_000_000_000

    /// `#expect` cannot look at what changes what it looks at.
    private func expect(_ wanted: Bool, _ found: Bool, _ why: Comment? = nil) {
        #expect(wanted == found, why)
    }

    @Test func crashAttribution_quarantinesAnAgentAfterTwoDeaths() {
        var attribution = CrashAttribution()
        expect(false, attribution.ingestDied(over: 7, nowNanoseconds: second))
        expect(false, attribution.ingestDied(over: 8, nowNanoseconds: 2 * second))
        expect(true, attribution.ingestDied(over: 7, nowNanoseconds: 3 * second))
        #expect(attribution.quarantined == [7: 63 * second])
        attribution.forget(nowNanoseconds: 64 * second)
        #expect(attribution.quarantined.isEmpty)
        // It has shown what it does: once more is enough now.
        expect(true, attribution.ingestDied(over: 7, nowNanoseconds: 65 * second))
    }

    @Test func crashAttribution_separatesDeathsFarApart() {
        var attribution = CrashAttribution()
        expect(false, attribution.ingestDied(over: 7, nowNanoseconds: second))
        attribution.forget(nowNanoseconds: 601 * second)
        expect(false, attribution.ingestDied(over: 7, nowNanoseconds: 602 * second))
    }

    @Test func crashAttribution_limitsAgents() {
        var attribution = CrashAttribution()
        _ = attribution.ingestDied(over: 1, nowNanoseconds: 1)
        for hash in 2...UInt64(CrashAttribution.limit + 1) {
            _ = attribution.ingestDied(over: hash, nowNanoseconds: hash)
        }
        expect(false, attribution.ingestDied(over: 1, nowNanoseconds: 100), "the one named longest ago made room")
        expect(true, attribution.ingestDied(over: UInt64(CrashAttribution.limit), nowNanoseconds: 101))
    }

    @Test func crashAttribution_resetsARingAfterFiveDeaths() {
        var attribution = CrashAttribution()
        for death in 1...4 as ClosedRange<UInt64> {
            expect(false, attribution.exporterDied(over: 2, nowNanoseconds: death * second))
            expect(false, attribution.exporterDied(over: nil, nowNanoseconds: death * second))
        }
        expect(false, attribution.exporterDied(over: 1, nowNanoseconds: 5 * second))
        expect(true, attribution.exporterDied(over: 2, nowNanoseconds: 5 * second))
        expect(true, attribution.exporterDied(over: nil, nowNanoseconds: 5 * second))
        expect(false, attribution.exporterDied(over: 2, nowNanoseconds: 6 * second), "the count begins anew")
    }
}
