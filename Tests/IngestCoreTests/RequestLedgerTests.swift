// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestCore

@Suite struct RequestLedgerTests {
    private let patience = RequestLedger.Patience(hungAfter: 10, lostAfter: 30)

    @Test func oneRequestIsOutstanding() {
        var ledger = RequestLedger(patience)
        #expect(!ledger.expectsAnswer)
        #expect(ledger.ask(nowNanoseconds: 100) == .send)
        #expect(ledger.ask(nowNanoseconds: 105) == .wait)
        #expect(ledger.answered() == true)
        #expect(ledger.ask(nowNanoseconds: 107) == .send)
    }

    @Test func whatNobodyAskedForIsNoAnswer() {
        var ledger = RequestLedger(patience)
        #expect(ledger.answered() == false)
        _ = ledger.ask(nowNanoseconds: 2)
        #expect(ledger.answered() == true)
        #expect(ledger.answered() == false)
    }

    @Test func aHungAgentIsNotWaitedForAndAskedAnewInTheEnd() {
        var ledger = RequestLedger(patience)
        _ = ledger.ask(nowNanoseconds: 0)
        #expect(ledger.ask(nowNanoseconds: 9) == .wait)
        #expect(ledger.ask(nowNanoseconds: 10) == .hung)
        #expect(ledger.ask(nowNanoseconds: 29) == .hung)
        #expect(ledger.ask(nowNanoseconds: 30) == .send)
        // It wakes up, and answers both.
        #expect(ledger.answered() == true)
        #expect(ledger.expectsAnswer)
        #expect(ledger.answered() == true)
        #expect(ledger.answered() == false)
    }

    @Test func aLateAnswerFreesTheStream() {
        var ledger = RequestLedger(patience)
        _ = ledger.ask(nowNanoseconds: 0)
        #expect(ledger.answered() == true)
        #expect(ledger.ask(nowNanoseconds: 21) == .send)
    }
}
