// SPDX-License-Identifier: Apache-2.0
import Collecting
import Testing

private typealias Engine = CollectionEngine<Int, String, Character, [String]>

/// A collection of members, asked at time 0 until 100.
private func underWay(_ id: Int = 1, _ members: String = "ab", in engine: inout Engine) {
    engine.begin(id, "question", [], nowNanoseconds: 0)
    #expect(engine.ask(members, in: id, deadlineNanoseconds: 100) == nil)
}

/// `#require` cannot call what mutates.
private func unwrapped(_ served: Engine.Served?) throws -> Engine.Served { try #require(served) }

@Suite struct CollectionEngineTests {
    @Test func collectionEngine_servesWhenTheLastMemberIsDone() throws {
        var engine = Engine()
        underWay(in: &engine)
        let tickets = [engine.join(1), engine.join(1)]
        #expect(engine.done("a", in: 1) { $0.append("a") } == nil)
        #expect(engine.done("a", in: 1) { $0.append("again") } == nil, "a member is done once")
        let served = try unwrapped(engine.done("b", in: 1) { $0.append("b") })
        #expect(served.ending == .complete && served.tickets == tickets && served.entry.outcome == ["a", "b"])
        #expect(engine.count == 0 && tickets.allSatisfy { !engine.isWaiting($0) })
        #expect(engine.done("b", in: 1) == nil)
    }

    @Test func collectionEngine_endsAtOnceWithoutMembers() throws {
        var engine = Engine()
        engine.begin(1, "question", [], nowNanoseconds: 0)
        let ticket = engine.join(1)
        #expect(engine.done("a", in: 1) == nil && engine.contains(1), "not before members are asked")
        let served = try unwrapped(engine.ask([], in: 1, deadlineNanoseconds: 100))
        #expect(served.ending == .complete && served.tickets == [ticket] && engine.count == 0)
    }

    @Test func collectionEngine_dropsALostMemberFromEveryCollection() {
        var engine = Engine()
        underWay(1, "ab", in: &engine)
        underWay(2, "a", in: &engine)
        underWay(3, "b", in: &engine)
        let served = engine.done("a") { outcome, question in outcome.append("\(question): a is lost") }
        #expect(served.map(\.entry.id) == [2])
        #expect(served.map(\.entry.outcome) == [["question: a is lost"]])
        #expect(engine[1]?.outcome == ["question: a is lost"] && engine[1]?.pending == ["b"])
        #expect(engine[3]?.outcome == [])
    }

    @Test func collectionEngine_endsAtItsDeadlineAndNotBefore() throws {
        var engine = Engine()
        underWay(in: &engine)
        let ticket = engine.join(1)
        #expect(engine.nextDeadlineNanoseconds == 100)
        #expect(engine.expire(nowNanoseconds: 99).isEmpty)
        let served = try unwrapped(engine.expire(nowNanoseconds: 100).first)
        #expect(served.ending == .deadline && served.tickets == [ticket] && served.entry.pending == ["a", "b"])
        #expect(engine.count == 0 && engine.nextDeadlineNanoseconds == nil)
    }

    /// A waiter that waits less long than the collection does not end it for the others.
    @Test func collectionEngine_servesLateRequestsAndContinues() throws {
        var engine = Engine()
        underWay(in: &engine)
        let (hasty, patient) = (engine.join(1, untilNanoseconds: 10), engine.join(1, untilNanoseconds: 50))
        #expect(engine.nextDeadlineNanoseconds == 10)
        let late = try unwrapped(engine.expire(nowNanoseconds: 10).first)
        #expect(late.ending == .late && late.tickets == [hasty])
        #expect(engine.contains(1) && engine.nextDeadlineNanoseconds == 50)
        _ = engine.done("a", in: 1)
        #expect(engine.done("b", in: 1)?.tickets == [patient])
    }

    @Test func collectionEngine_releasesRequestsThatAreComplete() throws {
        var engine = Engine()
        underWay(1, in: &engine)
        underWay(2, in: &engine)
        let tickets = [engine.join(1), engine.join(1), engine.join(2)]
        let released = try unwrapped(engine.release([tickets[1], tickets[2]], of: 1))
        #expect(released.ending == .released && released.tickets == [tickets[1]], "those of another stay")
        #expect(engine.release([tickets[1]], of: 1) == nil)
        #expect(engine[1]?.tickets == [tickets[0]] && engine[2]?.tickets == [tickets[2]])
    }

    @Test func collectionEngine_reportsWhenNoRequestWaits() {
        var engine = Engine()
        underWay(in: &engine)
        let tickets = [engine.join(1), engine.join(1)]
        #expect(engine.abandon(tickets[0]) == nil)
        #expect(engine.abandon(tickets[0]) == nil)
        #expect(engine.abandon(tickets[1]) == 1)
        #expect(engine.contains(1), "whether it ends then is its owner's matter")
        #expect(engine.finish(1)?.tickets == [])
    }

    @Test func collectionEngine_finishesAllWithThePresentAnswers() {
        var engine = Engine()
        underWay(1, in: &engine)
        underWay(2, in: &engine)
        engine.note(in: 1) { $0.append("came") }
        engine.note(in: 7) { $0.append("nothing is there") }
        let served = engine.finishAll().sorted { $0.entry.id < $1.entry.id }
        #expect(served.map(\.ending) == [.ended, .ended] && served.map(\.entry.outcome) == [["came"], []])
        #expect(engine.count == 0 && engine.finishAll().isEmpty)
    }

    /// Each waiter is served exactly once, or has gone.
    @Test(arguments: 0..<20 as Range<UInt64>) func collectionEngine_servesEachRequestOnce(seed: UInt64) {
        var random = Random(state: seed)
        var engine = Engine()
        var (open, served, gone): (Set<Engine.Ticket>, Set<Engine.Ticket>, Set<Engine.Ticket>) = ([], [], [])
        var (now, lastID): (UInt64, Int) = (0, 0)
        func note(_ results: [Engine.Served]) {
            for ticket in results.flatMap(\.tickets) {
                #expect(open.remove(ticket) != nil && served.insert(ticket).inserted)
            }
        }
        for _ in 0..<2000 {
            now += UInt64.random(in: 0...3, using: &random)
            let member = "abc".randomElement(using: &random)!
            let id = engine.all.map(\.id).randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<9, using: &random) {
            case 0 where engine.count < 5:
                lastID += 1
                engine.begin(lastID, "question", [], nowNanoseconds: now)
                open.insert(engine.join(lastID))
                let asked = "abc".filter { _ in Bool.random(using: &random) }
                note([engine.ask(asked, in: lastID, deadlineNanoseconds: now + 30)].compactMap { $0 })
            case 1...3 where engine.contains(id):
                open.insert(engine.join(id, untilNanoseconds: now + UInt64.random(in: 0...60, using: &random)))
            case 4: note([engine.done(member, in: id)].compactMap { $0 })
            case 5: note(Bool.random(using: &random) ? engine.done(member) : [])
            case 6: note(engine.expire(nowNanoseconds: now))
            case 7:
                guard let ticket = open.randomElement(using: &random) else { continue }
                if Bool.random(using: &random) {
                    _ = engine.abandon(ticket)
                    open.remove(ticket)
                    gone.insert(ticket)
                } else if let place = engine.collection(of: ticket) {
                    note([engine.release([ticket], of: place)].compactMap { $0 })
                }
            default: break
            }
            #expect(open == Set(engine.all.flatMap(\.tickets)), "seed \(seed)")
        }
        note(engine.finishAll())
        #expect(open.isEmpty && served.isDisjoint(with: gone), "seed \(seed)")
    }

    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
