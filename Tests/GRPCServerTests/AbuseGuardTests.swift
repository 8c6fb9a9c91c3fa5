// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2
import Testing

@testable import GRPCServer

/// Work of a connection that leads to nothing, each kind with a limit of its own.
@Suite struct AbuseGuardTests {
    private let second: UInt64 = 1_000_000_000

    /// `#expect` cannot call what mutates.
    private final class Guard {
        private var abuse = AbuseGuard(
            configured {
                ($0.resetBurst, $0.resetsPerSecond) = (3, 1)
                ($0.badFrameBurst, $0.badFramesPerSecond) = (2, 1)
                ($0.controlFrameBurst, $0.controlFramesPerSecond) = (4, 1)
            })

        func judge(
            _ counters: HTTP2Counters, refusedCalls: Int = 0, nowNanoseconds: UInt64
        ) -> GRPCConnectionEnd? {
            abuse.judge(counters, refusedCalls: refusedCalls, nowNanoseconds: nowNanoseconds)
        }
    }

    @Test func abuseGuard_chargesRefusedCallsLikeCancelledOnes() {
        let abuse = Guard()
        var counters = HTTP2Counters()
        #expect(abuse.judge(counters, refusedCalls: 2, nowNanoseconds: 0) == nil)
        counters.resetsReceived = 1
        #expect(abuse.judge(counters, refusedCalls: 2, nowNanoseconds: 0) == nil, "each counts once")
        #expect(abuse.judge(counters, refusedCalls: 3, nowNanoseconds: 0) == .resets)
        #expect(abuse.judge(counters, refusedCalls: 4, nowNanoseconds: second) == nil, "and time makes up for it")
    }

    @Test func abuseGuard_countsInvalidFramesWithTheirResets() {
        let abuse = Guard()
        var counters = HTTP2Counters()
        counters.invalidFrames = 1
        #expect(abuse.judge(counters, nowNanoseconds: 0) == nil)
        counters.errorResetsSent = 1
        #expect(abuse.judge(counters, nowNanoseconds: 0) == nil)
        counters.errorResetsSent = 2
        #expect(abuse.judge(counters, nowNanoseconds: 0) == .badFrames)
    }

    @Test func abuseGuard_limitsEmptyFramesSeparately() {
        let abuse = Guard()
        var counters = HTTP2Counters()
        (counters.frames, counters.callFrames) = (104, 100)
        #expect(abuse.judge(counters, nowNanoseconds: 0) == nil)
        counters.frames = 105
        #expect(abuse.judge(counters, nowNanoseconds: 0) == .controlFrames)
        (counters.frames, counters.callFrames) = (1105, 1100)
        #expect(abuse.judge(counters, nowNanoseconds: 0) == nil, "those of calls are free")
    }
}
