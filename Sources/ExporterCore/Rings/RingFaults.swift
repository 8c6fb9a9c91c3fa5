// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings

/// Faults of one data ring as its reader sees them, and their cost. It decides; its owner acts and logs. Times are
/// `CLOCK_MONOTONIC`.
struct RingFaults {
    /// The reason why this process cannot read on; `nil`: it can.
    private(set) var stall: ReadStall?
    /// The reason why the ring cannot be opened; `nil`: it can, or has not been tried.
    private(set) var openFlaw: ReadStall?
    /// The content of the ring is the reason, not a lack of memory or descriptors here.
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
    /// Records have been left out: current records are to be looked for.
    private(set) var isRescanDue = false

    /// Skipping is tried long before.
    private static let stallLimitNanoseconds = 3 * ReadStall.timeoutNanoseconds

    // MARK: Verdicts

    /// For people; `nil`: the ring is sound.
    var trouble: String? {
        if let openFlaw { return openFlaw.reason }
        if let stall { return stall.reason }
        return unreadable.isEmpty ? nil : "its current records cannot be read"
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
        // Records that came while it could not be read, answers among them, are behind the position.
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
