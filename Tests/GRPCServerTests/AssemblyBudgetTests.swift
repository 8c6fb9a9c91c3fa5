// SPDX-License-Identifier: Apache-2.0
import Platform
import TestSupport
import Testing

@testable import GRPCServer

/// A sender of an unfinished message that writes down what it is told.
private final class Sender: UnfinishedMessageHolder {
    var credited = 0
    var isGivenUp = false
    let message: UnfinishedMessage

    init(_ connection: AssemblyHolder) {
        message = UnfinishedMessage(placeholder: connection)
        message.holder = self
    }

    func credit(bytes: Int) { credited += bytes }
    func giveUp() { isGivenUp = true }
}

extension UnfinishedMessage {
    fileprivate convenience init(placeholder connection: AssemblyHolder) {
        final class Nobody: UnfinishedMessageHolder {
            func credit(bytes: Int) {}
            func giveUp() {}
        }
        self.init(holder: Nobody(), connection: connection)
    }
}

@Suite struct AssemblyBudgetTests {
    private let budget = AssemblyBudget(limitBytes: 1000, stallNanoseconds: 20)

    private func connection(_ host: String = "10.0.0.1") -> AssemblyHolder {
        AssemblyHolder(address: NetworkSource(host: host))
    }

    private func begin(_ bytes: Int, on connection: AssemblyHolder) -> Sender {
        let sender = Sender(connection)
        budget.update(sender.message, bytes: bytes)
        return sender
    }

    @Test func assemblyBudget_creditsEveryStreamBelowTheLimit() {
        let (first, second) = (begin(400, on: connection()), begin(500, on: connection()))
        #expect(budget.mayCredit(first.message, bytes: 400) && budget.mayCredit(second.message, bytes: 500))
        budget.remove(first.message)
        budget.remove(second.message)
        #expect(budget.usedBytes == 0 && budget.peakBytes == 900 && budget.turn == nil)
    }

    @Test func assemblyBudget_creditsStreamsWithinTheirShareAndOneTurnAtTheLimit() {
        let greedy = connection()
        let (first, second) = (begin(500, on: greedy), begin(450, on: greedy))
        let modest = begin(100, on: connection())
        #expect(budget.isExhausted && budget.turn === first.message)
        #expect(budget.mayCredit(first.message, bytes: 1) && budget.mayCredit(modest.message, bytes: 100))
        #expect(!budget.mayCredit(second.message, bytes: 60))
        #expect(second.credited == 0)
        budget.remove(first.message)
        #expect(second.credited == 60)
    }

    @Test func assemblyBudget_sharesBetweenSourcesBeforeConnections() {
        // A hundred connections of one source, and one of another.
        for _ in 0..<100 { _ = begin(10, on: connection("10.0.0.1")) }
        let other = begin(300, on: connection("10.0.0.2"))
        #expect(budget.isExhausted && budget.turn !== other.message)
        #expect(budget.mayCredit(other.message, bytes: 100))
        budget.update(other.message, bytes: 501)
        #expect(!budget.mayCredit(other.message, bytes: 100))
    }

    @Test func assemblyBudget_readsStreamsWithinTheirShareAndTheTurnAtTheHardLimit() {
        var changes = 0
        budget.onPressureChange = { changes += 1 }
        let (greedy, other, modest) = (connection("10.0.0.1"), connection("10.0.0.2"), connection("10.0.0.3"))
        _ = begin(500, on: other)
        _ = begin(740, on: greedy)
        #expect(changes == 0)
        _ = begin(10, on: modest)
        #expect(changes == 1 && budget.isAtHardLimit)
        #expect(budget.mayRead(other) && budget.mayRead(modest) && !budget.mayRead(greedy))
        #expect(budget.mayRead(connection("10.0.0.4")))
    }

    @Test func assemblyBudget_chargesAWastedTurnToItsHolder() {
        let hog = connection()
        let held = (0..<11).map { _ in begin(90, on: hog) }
        let late = connection()
        for now in stride(from: UInt64(1), to: 20, by: 2) {
            budget.tick(nowNanoseconds: now)
            let small = begin(20, on: late)
            budget.remove(small.message)
        }
        let honest = (0..<5).map { begin(20, on: connection("10.0.0.\($0 + 2)")) }
        #expect(!held.contains { $0.isGivenUp })
        budget.tick(nowNanoseconds: 21)
        budget.tick(nowNanoseconds: 41)
        #expect(held.filter(\.isGivenUp).count == 4 && !honest.contains { $0.isGivenUp })
        #expect(budget.usedBytes <= 750)
    }

    @Test func assemblyBudget_forgivesAWastedTurnWithinAFewShares() {
        let senders = (0..<11).map { begin(100, on: connection("10.0.1.\($0)")) }
        budget.tick(nowNanoseconds: 1)
        budget.tick(nowNanoseconds: 21)
        #expect(!senders.contains { $0.isGivenUp } && budget.turn === senders[1].message)
        budget.remove(senders[1].message)
        #expect(budget.turn === senders[2].message)
        budget.tick(nowNanoseconds: 41)
        #expect(!senders.contains { $0.isGivenUp })
        budget.tick(nowNanoseconds: 61)
        #expect(senders.filter(\.isGivenUp).count == 3 && budget.usedBytes <= 750)
    }

    @Test func assemblyBudget_evictsUnknownSourcesBeforeRegisteredAgents() {
        let known = connection()
        known.isStranger = false
        let agent = begin(800, on: known)
        let strangers = (0..<4).map { _ in begin(60, on: connection()) }
        for now in [1, 21, 41] as [UInt64] { budget.tick(nowNanoseconds: now) }
        #expect(!agent.isGivenUp || strangers.allSatisfy(\.isGivenUp))
    }

    @Test func assemblyBudget_givesAHeldMessageNoTurn() {
        let (first, second) = (begin(600, on: connection()), begin(700, on: connection()))
        #expect(!budget.mayCredit(second.message, bytes: 70))
        budget.setHeld(first.message, true)
        #expect(budget.turn === second.message && second.credited == 70)
        budget.setHeld(second.message, true)
        #expect(budget.turn == nil)
        budget.setHeld(first.message, false)
        #expect(budget.turn === first.message)
        budget.remove(first.message)
        budget.remove(second.message)
        #expect(budget.usedBytes == 0 && budget.turn == nil)
    }

    @Test func assemblyBudget_evictsTheLargestHolderAtTwiceTheLimit() {
        let greedy = connection()
        let senders = [begin(700, on: greedy), begin(600, on: greedy), begin(690, on: connection())]
        budget.update(senders[2].message, bytes: 720)
        #expect(senders.map(\.isGivenUp) == [true, false, false] && budget.usedBytes == 1320)
    }

    /// Seeded: whatever happens, sums agree, and the last limit holds.
    @Test(arguments: 0..<20) func assemblyBudget_keepsItsBoundsUnderRandomLoad(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let connections = (0..<12).map { connection("10.0.0.\($0 % 5)") }
        var senders: [Sender] = []
        var now: UInt64 = 1
        for _ in 0..<2000 {
            senders.removeAll { sender in
                if sender.isGivenUp { budget.remove(sender.message) }
                return sender.isGivenUp
            }
            switch Int.random(in: 0..<10, using: &random) {
            case 0...4:
                senders.append(
                    begin(Int.random(in: 1...120, using: &random), on: connections.randomElement(using: &random)!))
            case 5, 6:
                guard let sender = senders.randomElement(using: &random) else { continue }
                budget.update(sender.message, bytes: sender.message.bytes + Int.random(in: 1...100, using: &random))
                if !sender.isGivenUp { _ = budget.mayCredit(sender.message, bytes: 10) }
            case 7: if !senders.isEmpty { budget.remove(senders.removeFirst().message) }
            case 8:
                guard let sender = senders.randomElement(using: &random) else { continue }
                budget.setHeld(sender.message, Bool.random(using: &random))
            default:
                now += 7
                budget.tick(nowNanoseconds: now)
            }
            #expect(budget.usedBytes <= 2000)
        }
        for sender in senders { budget.remove(sender.message) }
        #expect(budget.usedBytes == 0 && budget.turn == nil, "seed \(seed)")
    }
}
