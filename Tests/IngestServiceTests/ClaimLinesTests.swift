// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestService

@Suite struct ClaimLinesTests {
    private final class Claim {
        let identity: UInt64
        let mark: ClaimMark

        init(_ identity: UInt64, at time: Int64) {
            self.identity = identity
            mark = ClaimMark(registeredAtNanoseconds: time, worker: 0)
        }
    }

    private static func lines(_ claims: [Claim]) -> ClaimLines<Claim> {
        var lines = ClaimLines<Claim>()
        for claim in claims { lines.insert(claim, of: claim.identity, mark: claim.mark) }
        return lines
    }

    private static func round(_ lines: inout ClaimLines<Claim>) -> [Claim] {
        lines.beginRound()
        var seen: [Claim] = []
        while let claim = lines.next() { seen.append(claim) }
        return seen
    }

    @Test func onlyTheEarliestOfAnIdentityHasItsTurn() {
        // The clock was set back between the second and the third.
        let claims = [Claim(1, at: 10), Claim(1, at: 20), Claim(1, at: 5), Claim(2, at: 30)]
        var lines = Self.lines(claims)
        #expect(lines.count == 4)
        #expect(lines.line(of: 1).map(\.mark.registeredAtNanoseconds) == [5, 10, 20])
        #expect(claims.map { lines.isFirst($0, of: $0.identity) } == [false, false, true, true])
        let first = Self.round(&lines).map(\.mark.registeredAtNanoseconds)
        #expect(first.sorted() == [5, 30])
        let wasThere = (lines.remove(claims[2], of: 1), lines.remove(claims[2], of: 1))
        #expect(wasThere == (true, false))
        let second = Self.round(&lines).map(\.mark.registeredAtNanoseconds)
        #expect(second.sorted() == [10, 30])
        for claim in [claims[0], claims[1], claims[3]] { _ = lines.remove(claim, of: claim.identity) }
        #expect(lines.isEmpty)
        let third = Self.round(&lines)
        #expect(third.isEmpty)
        #expect(lines.line(of: 1).isEmpty)
    }

    @Test func ofTwoOfTheSameTimeTheOneThatCameFirstIsFirst() {
        let claims = [Claim(1, at: 10), Claim(1, at: 10)]
        let lines = Self.lines(claims)
        #expect(claims.map { lines.isFirst($0, of: 1) } == [true, false])
    }

    /// A round touches each identity once, however many of them there are and however it is cut into looks.
    @Test func aRoundIsGoneThroughInParts() {
        let claims = (0..<4000).map { Claim(UInt64($0 % 1000), at: Int64($0)) }
        var lines = Self.lines(claims)
        var seen: [UInt64: Int] = [:]
        var looks = 0
        while seen.count < 1000 {
            looks += 1
            lines.beginRound()
            for _ in 0..<100 {
                guard let claim = lines.next() else { break }
                seen[claim.identity, default: 0] += 1
                #expect(claim.mark.registeredAtNanoseconds == Int64(claim.identity))
            }
        }
        #expect(looks == 10)
        #expect(seen.values.allSatisfy { $0 == 1 })
    }

    @Test func whoHasGoneMeanwhileHasNoTurn() {
        let claims = (0..<10).map { Claim(UInt64($0), at: Int64($0)) }
        var lines = Self.lines(claims)
        lines.beginRound()
        for claim in claims.dropLast(3) { _ = lines.remove(claim, of: claim.identity) }
        let left = Self.round(&lines).map(\.identity)
        #expect(left.sorted() == [7, 8, 9])
        #expect(lines.count == 3)
        #expect(lines.all.count { _ in true } == 3)
    }
}
