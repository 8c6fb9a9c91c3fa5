// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import GRPCServer

@Suite struct GRPCCallStateTests {
    private final class Handler: GRPCCallHandler {
        func received(message: RawSpan) {}
        func halfClosed() {}
        func closed(_ end: GRPCCallEnd) {}
    }

    private let end = GRPCCallEnd.finished(.ok)

    @Test func callState_passesFromOpeningToClosed() {
        let handler = Handler()
        var state = GRPCCallState.opening
        #expect(!state.isActive && !state.isFinished && state.handler == nil)
        state.open(handler)
        #expect(state.isActive && state.handler === handler)
        #expect(state.finish(end, nowNanoseconds: 7) == true)
        #expect(!state.isActive && state.isFinished && state.finishedNanoseconds == 7)
        #expect(state.handler === handler, "it hears of the end when the stream is gone")
        let before = state.close()
        #expect(before.handler === handler && before.end != nil && before.isFinished)
        #expect(state.handler == nil && state.isFinished && state.finishedNanoseconds == nil)
    }

    @Test func callState_isFinishedOnce() {
        var state = GRPCCallState.opening
        state.open(Handler())
        #expect(state.finish(end, nowNanoseconds: 7) == true)
        #expect(state.finish(.deadlineExceeded, nowNanoseconds: 8) == false)
        #expect(state.finishedNanoseconds == 7)
        _ = state.close()
        #expect(state.finish(end, nowNanoseconds: 9) == false)
    }

    /// The service may finish a call while it opens it, and want to hear of the end all the same.
    @Test func callState_keepsTheHandlerOfACallThatIsFinishedWhileItOpens() {
        let handler = Handler()
        var state = GRPCCallState.opening
        #expect(state.finish(end, nowNanoseconds: 7) == true)
        state.open(handler)
        #expect(!state.isActive && state.isFinished && state.handler === handler)
    }

    /// A stream that ends by itself.
    @Test func callState_closesACallThatIsNotFinished() {
        let handler = Handler()
        var state = GRPCCallState.opening
        state.open(handler)
        let before = state.close()
        #expect(!before.isFinished && before.end == nil && before.handler === handler)
        state.open(handler)
        #expect(!state.isActive, "nothing opens a call that is over")
    }
}
