// SPDX-License-Identifier: Apache-2.0
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

        func bears(_ counters: HTTP2Counters, refusedCalls: Int = 0, nowNanoseconds: UInt64) -> Bool {
            abuse.bears(counters, refusedCalls: refusedCalls, nowNanoseconds: nowNanoseconds)
        }
    }

    @Test func refusedCalls_costWhatCancelledOnesDo() {
        let abuse = Guard()
        var counters = HTTP2Counters()
        #expect(abuse.bears(counters, refusedCalls: 2, nowNanoseconds: 0))
        counters.resetsReceived = 1
        #expect(abuse.bears(counters, refusedCalls: 2, nowNanoseconds: 0), "each counts once")
        #expect(!abuse.bears(counters, refusedCalls: 3, nowNanoseconds: 0))
        #expect(abuse.bears(counters, refusedCalls: 4, nowNanoseconds: second), "and time makes up for it")
    }

    @Test func badFrames_countTogetherWithTheResetsThatTheyCause() {
        let abuse = Guard()
        var counters = HTTP2Counters()
        counters.invalidFrames = 1
        #expect(abuse.bears(counters, nowNanoseconds: 0))
        counters.errorResetsSent = 1
        #expect(abuse.bears(counters, nowNanoseconds: 0))
        counters.errorResetsSent = 2
        #expect(!abuse.bears(counters, nowNanoseconds: 0))
    }

    @Test func framesThatCarryNothing_haveALimitOfTheirOwn() {
        let abuse = Guard()
        var counters = HTTP2Counters()
        (counters.frames, counters.callFrames) = (104, 100)
        #expect(abuse.bears(counters, nowNanoseconds: 0))
        counters.frames = 105
        #expect(!abuse.bears(counters, nowNanoseconds: 0))
        (counters.frames, counters.callFrames) = (1105, 1100)
        #expect(abuse.bears(counters, nowNanoseconds: 0), "those of calls are free")
    }
}
