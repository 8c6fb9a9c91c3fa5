// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import HTTP2

@Suite struct HTTP2StreamStateTests {
    /// A stream whose opening headers have come.
    private static func opened() -> HTTP2StreamState {
        var state = HTTP2StreamState.begun
        #expect(state.receiveHeaders() == true)
        return state
    }

    @Test func streamState_opensWithTheFirstHeaderBlock() {
        var state = Self.opened()
        #expect(state.receiveHeaders() == false, "later blocks are trailers")
        #expect(!state.isLocalEnded && !state.isRemoteEnded && !state.canSend)
    }

    @Test func streamState_sendsHeadersOnceAndDataAfterThem() {
        var state = Self.opened()
        state.end()
        #expect(!state.isLocalEnded, "nothing ends before it has begun")
        #expect(state.submitHeaders(isEnd: false) && state.canSend)
        #expect(!state.submitHeaders(isEnd: true) && !state.isLocalEnded)
        state.end(trailers: ["a": "b"])
        #expect(state.isLocalEnded && !state.canSend)
        #expect(state.takeTrailers()?["a"] == "b")
        #expect(state.takeTrailers() == nil, "trailers go out once")
    }

    @Test func streamState_ofHeadersAloneHasNoData() {
        var state = Self.opened()
        #expect(state.submitHeaders(isEnd: true) == true)
        #expect(state.isLocalEnded && !state.canSend && state.takeTrailers() == nil)
    }

    @Test func streamState_wakesNghttp2OnceForEachTimeItSleeps() {
        var state = HTTP2StreamState.opened(isEnd: false)
        #expect(state.resumeSending() == false)
        state.deferSending()
        #expect(state.resumeSending() == true)
        #expect(state.resumeSending() == false)
        state.deferSending()
        state.end(trailers: ["a": "b"])
        #expect(state.resumeSending() == true, "the end has to go out as well")
        #expect(state.takeTrailers() != nil)
    }

    @Test func streamState_reportsItsEndOnce() {
        var state = Self.opened()
        #expect(state.receiveEnd() == true)
        #expect(state.isRemoteEnded && !state.receiveEnd())
        state.receiveReset()
        #expect(state.receiveEnd() == false)
    }

    @Test func streamState_reportsTheSideThatEndedIt() {
        var both = Self.opened()
        _ = both.submitHeaders(isEnd: true)
        _ = both.receiveEnd()
        var failed = both
        var half = Self.opened()
        _ = half.receiveEnd()
        var reset = half
        reset.receiveReset()
        #expect(both.close(.noError) == .both)
        #expect(failed.close(.cancel) == .local, "an error is this side's, if the peer has sent no reset")
        #expect(half.close(.noError) == .local)
        #expect(reset.close(.cancel) == .peer)
    }

    @Test func streamState_doesNothingAfterTheEnd() {
        var state = Self.opened()
        _ = state.close(.noError)
        #expect(state.isClosed && !state.canSend)
        #expect(!state.submitHeaders(isEnd: false) && !state.receiveHeaders() && !state.receiveEnd())
        state.end()
        state.reset()
        state.receiveReset()
        state.deferSending()
        #expect(state.isClosed && !state.resumeSending() && state.takeTrailers() == nil)
    }
}
