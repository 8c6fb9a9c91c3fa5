// SPDX-License-Identifier: Apache-2.0
import Lanes

/// When and where somebody has registered: of two claims of one identity the earlier goes first.
struct ClaimMark: Comparable {
    /// Wall clock, nanoseconds since the epoch. 0: it is about to be taken.
    var registeredAtNanoseconds: Int64
    var worker: Int

    /// Who is about to take its time may be earlier than anybody: it is waited for.
    var isBeingTaken: Bool { registeredAtNanoseconds == 0 }

    static func < (one: ClaimMark, other: ClaimMark) -> Bool {
        (one.registeredAtNanoseconds, one.worker) < (other.registeredAtNanoseconds, other.worker)
    }
}

/// What the worker that has the older connection says to a claim, as it stands in that connection's entry.
struct ClaimVerdict: Equatable {
    /// Of the claim: in which worker's lane, and its number there.
    var worker: Int
    var number: UInt64
    var isAlive: Bool

    // Worker + 1 in the lowest byte, 1 for alive and 2 for gone in the next, above them the number.
    private static let numberShift: UInt64 = 16

    var word: UInt64 {
        UInt64(UInt8(truncatingIfNeeded: worker + 1)) | (isAlive ? 1 : 2) << 8 | number << Self.numberShift
    }

    init(worker: Int, number: UInt64, isAlive: Bool) {
        (self.worker, self.number, self.isAlive) = (worker, number, isAlive)
    }

    /// `nil` when the word holds none.
    init?(word: UInt64) {
        let worker = Int(word & 0xff) - 1
        let verdict = word >> 8 & 0xff
        guard worker >= 0, verdict == 1 || verdict == 2 else { return nil }
        self.init(worker: worker, number: word >> Self.numberShift, isAlive: verdict == 1)
    }

    /// The numbers that a verdict has room for.
    static let numberMask = UInt64.max >> numberShift
    private static let countBits: UInt64 = 32

    /// Of a claim. The lane counts its claims from 1 again when it is begun anew, and the verdict on an earlier one may
    /// stand still: so the generation of the worker is part of it.
    static func number(generation: UInt64, count: UInt64) -> UInt64 {
        (generation << countBits | count & (1 << countBits - 1)) & numberMask
    }
}

/// Somebody of the same identity in another worker's lane, that worker running.
struct Rival: Equatable {
    var worker: Int
    var slot: SlotRef
    var entry: AgentEntry

    var mark: ClaimMark { ClaimMark(registeredAtNanoseconds: entry.registeredAtNanoseconds, worker: worker) }
    var isClaim: Bool { entry.status == .claiming }
}

/// One registration before those of its identity at other workers: whether it has to wait, gets the identity's own id,
/// or is a second agent of one identity. A state machine without I/O; times are `CLOCK_MONOTONIC`.
struct ClaimCase {
    /// How long a connection in the way is waited for. Its worker pings it for 1 s, by a clock that ticks four times a
    /// second, after having looked for claims, which it does twenty times a second.
    static let patienceNanoseconds: UInt64 = 1_500_000_000
    /// How long an earlier claim whose turn it is: it may have to wait in vain itself.
    static let patienceWithClaimNanoseconds: UInt64 = patienceNanoseconds + 250_000_000

    enum Ruling: Equatable {
        case wait
        /// Nobody else of this identity is alive.
        case alone
        /// These are.
        case twin([AgentID])
    }

    let mark: ClaimMark
    let number: UInt64
    /// Somebody was waited for in vain.
    private(set) var hasLostPatience = false

    private struct Place: Hashable {
        var worker: Int
        var slot: SlotRef
        var registeredAtNanoseconds: Int64
        var isClaim: Bool
    }

    /// Since when those are waited for whose turn it is.
    private var waitingSince: [Place: UInt64] = [:]
    private var alive: Set<Place> = []

    init(mark: ClaimMark, number: UInt64) {
        self.mark = mark
        self.number = number
    }

    /// How many have been waited for so far: when it rises, their workers have to be told to look.
    var waitedForCount: Int { waitingSince.count }

    /// - Parameter rivals: who is online or claims, as the lanes say now.
    mutating func rule(on rivals: [Rival], nowNanoseconds now: UInt64) -> Ruling {
        // Earlier claims first, one after the other: each ends in an entry that is online, or in none.
        let earlier = rivals.filter { $0.isClaim && ($0.mark.isBeingTaken || $0.mark < mark) }
        for rival in earlier.sorted(by: { $0.mark < $1.mark }) where isWaited(for: rival, now) { return .wait }
        var mustWait = false
        var twins: [AgentID] = []
        for rival in rivals where !rival.isClaim {
            if let verdict = ClaimVerdict(word: rival.entry.claim), verdict.worker == mark.worker,
                verdict.number == number
            {
                guard verdict.isAlive else { continue }
                // Its word is for the next claim when this one is settled.
                alive.insert(place(of: rival))
            }
            if alive.contains(place(of: rival)) {
                twins.append(rival.entry.id)
            } else if isWaited(for: rival, now) {
                mustWait = true
            }
        }
        if mustWait { return .wait }
        return twins.isEmpty ? .alone : .twin(twins)
    }

    private func place(of rival: Rival) -> Place {
        Place(
            worker: rival.worker, slot: rival.slot, registeredAtNanoseconds: rival.entry.registeredAtNanoseconds,
            isClaim: rival.isClaim)
    }

    private mutating func isWaited(for rival: Rival, _ now: UInt64) -> Bool {
        let since = waitingSince[place(of: rival)] ?? now
        waitingSince[place(of: rival)] = since
        let patience = rival.isClaim ? Self.patienceWithClaimNanoseconds : Self.patienceNanoseconds
        if now - min(now, since) < patience { return true }
        hasLostPatience = true
        return false
    }
}
