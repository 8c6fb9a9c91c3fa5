// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform

/// What keeps one data ring from being read as it should be, and what that has cost. It decides; its owner acts and logs.
/// Times are `CLOCK_MONOTONIC`.
struct RingFaults {
    /// What keeps this process from reading on; `nil`: nothing does.
    private(set) var stall: ReadStall?
    /// Why the ring cannot be opened.
    private(set) var openFlaw: ReadStall?
    /// That is so because of what stands in it, not for lack of room for it here.
    private var isUnusable = false
    /// Records that slots name and that cannot be read, by slot.
    private var unreadable: [UInt32: ReadStall] = [:]
    /// How often the ring could not be read on, or not be opened.
    private(set) var stalls: UInt64 = 0
    /// Records that were skipped because they are damaged.
    private(set) var damagedRecords: UInt64 = 0
    private(set) var lostBytes: UInt64 = 0
    /// When records were last left out.
    private(set) var skippedAtNanoseconds: UInt64?
    /// Records have been left out: what is current is to be looked for.
    private(set) var isRescanDue = false

    /// Skipping is tried long before.
    private static let stallLimitNanoseconds = 3 * ReadStall.patienceNanoseconds

    // MARK: How it is

    /// Why the ring is not as it should be, for people; `nil`: it is.
    var trouble: String? {
        if let openFlaw { return openFlaw.reason }
        if let stall { return stall.reason }
        return unreadable.isEmpty ? nil : "records that are current in it cannot be read"
    }

    /// The ring is damaged in a way that its writer does not put right.
    func isDamagedForGood(nowNanoseconds now: UInt64) -> Bool {
        func isOld(_ stall: ReadStall) -> Bool {
            now.elapsed(since: stall.sinceNanoseconds) >= Self.stallLimitNanoseconds
        }
        return unreadable.values.contains { $0.isOver(nowNanoseconds: now) } || stall.map(isOld) ?? false
            || isUnusable && openFlaw.map(isOld) ?? false
    }

    var hasUnreadableRecords: Bool { !unreadable.isEmpty }

    // MARK: Opening

    mutating func openFailed(_ reason: String, isUnusable: Bool, nowNanoseconds now: UInt64) {
        if openFlaw == nil { stalls += 1 }
        openFlaw = ReadStall(position: 0, reason: reason, nowNanoseconds: openFlaw?.sinceNanoseconds ?? now)
        self.isUnusable = isUnusable
    }

    mutating func opened(nowNanoseconds now: UInt64) {
        // What came while it could not be read is behind the position, answers to what was asked among it.
        if openFlaw != nil { skipped(0, nowNanoseconds: now) }
        openFlaw = nil
    }

    /// Another ring is in the place of this one.
    mutating func ringWasReset(nowNanoseconds now: UInt64) {
        unreadable = [:]
        stall = nil
        skippedAtNanoseconds = now
        isRescanDue = true
    }

    // MARK: Reading on

    enum Waiting {
        /// The ring cannot be read on from now on: its writer has time to put it right.
        case begins
        case goesOn
        /// The writer has had its time.
        case isOver
    }

    /// Nothing can be read at this position.
    mutating func wait(at position: UInt64, _ reason: String, nowNanoseconds now: UInt64) -> Waiting {
        if let stall, stall.position == position { return stall.isOver(nowNanoseconds: now) ? .isOver : .goesOn }
        stall = ReadStall(position: position, reason: reason, nowNanoseconds: now)
        stalls += 1
        return .begins
    }

    mutating func readOn() { stall = nil }

    mutating func recordWasDamaged() { damagedRecords += 1 }

    mutating func skipped(_ bytes: UInt64, nowNanoseconds now: UInt64) {
        lostBytes &+= bytes
        isRescanDue = true
        skippedAtNanoseconds = now
    }

    mutating func rescanned() { isRescanDue = false }

    // MARK: Records that slots name

    /// A slot names records that were never seen.
    mutating func recordsAreMissed(slot: UInt32, nowNanoseconds now: UInt64) {
        if unreadable[slot] == nil { skippedAtNanoseconds = now }
    }

    mutating func isUnreadable(_ type: RecordType, at position: UInt64, slot: UInt32, nowNanoseconds now: UInt64) {
        guard unreadable[slot]?.position != position else { return }
        unreadable[slot] = ReadStall(
            position: position, reason: "the \(type.name) record of a slot", nowNanoseconds: now)
    }

    mutating func isReadable(slot: UInt32) {
        if !unreadable.isEmpty { unreadable[slot] = nil }
    }

    mutating func forget(slots isGone: (UInt32) -> Bool) {
        for slot in unreadable.keys where isGone(slot) { unreadable[slot] = nil }
    }
}
