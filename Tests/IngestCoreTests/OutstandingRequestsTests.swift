// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestCore

@Suite struct OutstandingRequestsTests {
    private let timeouts = OutstandingRequests.Timeouts(hungAfter: 10, lostAfter: 30)

    @Test func outstandingRequests_allowOneRequestPerStream() {
        var outstanding = OutstandingRequests(timeouts)
        #expect(!outstanding.expectsAnswer)
        #expect(outstanding.ask(nowNanoseconds: 100) == .send)
        #expect(outstanding.ask(nowNanoseconds: 105) == .wait)
        #expect(outstanding.answered() == true)
        #expect(outstanding.ask(nowNanoseconds: 107) == .send)
    }

    @Test func outstandingRequests_rejectAnUnrequestedAnswer() {
        var outstanding = OutstandingRequests(timeouts)
        #expect(outstanding.answered() == false)
        _ = outstanding.ask(nowNanoseconds: 2)
        #expect(outstanding.answered() == true)
        #expect(outstanding.answered() == false)
    }

    @Test func outstandingRequests_skipAHungAgentAndAskAgainLater() {
        var outstanding = OutstandingRequests(timeouts)
        _ = outstanding.ask(nowNanoseconds: 0)
        #expect(outstanding.ask(nowNanoseconds: 9) == .wait)
        #expect(outstanding.ask(nowNanoseconds: 10) == .hung)
        #expect(outstanding.ask(nowNanoseconds: 29) == .hung)
        #expect(outstanding.ask(nowNanoseconds: 30) == .send)
        // It wakes up, and answers both.
        #expect(outstanding.answered() == true)
        #expect(outstanding.expectsAnswer)
        #expect(outstanding.answered() == true)
        #expect(outstanding.answered() == false)
    }

    @Test func outstandingRequests_acceptALateAnswerAndFreeTheStream() {
        var outstanding = OutstandingRequests(timeouts)
        _ = outstanding.ask(nowNanoseconds: 0)
        #expect(outstanding.answered() == true)
        #expect(outstanding.ask(nowNanoseconds: 21) == .send)
    }
}
