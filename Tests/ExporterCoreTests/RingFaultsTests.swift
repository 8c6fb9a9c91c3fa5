// SPDX-License-Identifier: Apache-2.0
import Rings
import Testing

@testable import ExporterCore

@Suite struct RingFaultsTests {
    private let second: UInt64 = 1_000_000_000

    @Test func ringFaults_allowAWriterASecondAtEachPosition() {
        var faults = RingFaults()
        #expect(faults.wait(at: 8, "checksum", nowNanoseconds: 10) == .begins)
        #expect(faults.trouble == "checksum")
        #expect(faults.wait(at: 8, "checksum", nowNanoseconds: 9 + second) == .goesOn)
        #expect(faults.wait(at: 8, "checksum", nowNanoseconds: 10 + second) == .isOver)
        // Another position has a second of its own.
        #expect(faults.wait(at: 16, "length", nowNanoseconds: 10 + second) == .begins)
        #expect(faults.stalls == 2)
        faults.readOn()
        #expect(faults.trouble == nil && faults.stalls == 2)
    }

    @Test func ringFaults_arePermanentAfterAStallOfThreeSeconds() {
        var faults = RingFaults()
        _ = faults.wait(at: 8, "length", nowNanoseconds: 10)
        #expect(!faults.isDamagedForGood(nowNanoseconds: 9 + 3 * second))
        #expect(faults.isDamagedForGood(nowNanoseconds: 10 + 3 * second))
        // A clock that another process has read later.
        #expect(!faults.isDamagedForGood(nowNanoseconds: 5))
    }

    @Test func ringFaults_ofARingThatCannotBeOpened_arePermanentOnlyForItsContent() {
        for isUnusable in [true, false] {
            var faults = RingFaults()
            faults.openFailed("no magic", isUnusable: isUnusable, nowNanoseconds: 10)
            faults.openFailed("no magic at all", isUnusable: isUnusable, nowNanoseconds: 10 + 3 * second)
            #expect(faults.isDamagedForGood(nowNanoseconds: 10 + 3 * second) == isUnusable)
            #expect(faults.trouble == "no magic at all" && faults.stalls == 1 && !faults.isRescanDue)
            faults.opened(nowNanoseconds: 20)
            #expect(faults.trouble == nil && faults.isRescanDue && faults.skippedAtNanoseconds == 20)
        }
    }

    @Test func ringFaults_afterTheFirstOpening_needNoRescan() {
        var faults = RingFaults()
        faults.opened(nowNanoseconds: 20)
        #expect(!faults.isRescanDue && faults.skippedAtNanoseconds == nil)
    }

    @Test func ringFaults_knowUnreadableRecordsBySlot() {
        var faults = RingFaults()
        faults.recordsAreMissed(slot: 3, nowNanoseconds: 10)
        faults.isUnreadable(.series, at: 8, slot: 3, nowNanoseconds: 10)
        // Looked at again, it is as old as it was.
        faults.recordsAreMissed(slot: 3, nowNanoseconds: second)
        faults.isUnreadable(.series, at: 8, slot: 3, nowNanoseconds: second)
        #expect(faults.hasUnreadableRecords && faults.skippedAtNanoseconds == 10)
        #expect(!faults.isDamagedForGood(nowNanoseconds: 9 + second))
        #expect(faults.isDamagedForGood(nowNanoseconds: 10 + second))
        // The slot names another record.
        faults.isUnreadable(.series, at: 16, slot: 3, nowNanoseconds: 10 + second)
        #expect(!faults.isDamagedForGood(nowNanoseconds: 10 + second))
        faults.isReadable(slot: 3)
        #expect(!faults.hasUnreadableRecords && faults.trouble == nil)
    }

    @Test func ringFaults_forgetSlotsThatAreGoneAndRingsThatWereReset() {
        var faults = RingFaults()
        for slot in 0..<4 as Range<UInt32> { faults.isUnreadable(.identity, at: 8, slot: slot, nowNanoseconds: 10) }
        faults.forget { $0 < 3 }
        #expect(faults.hasUnreadableRecords)
        _ = faults.wait(at: 8, "length", nowNanoseconds: 10)
        faults.ringWasReset(nowNanoseconds: 30)
        #expect(faults.trouble == nil && faults.isRescanDue && faults.skippedAtNanoseconds == 30)
        faults.rescanned()
        #expect(!faults.isRescanDue)
    }

    @Test func ringFaults_countLostRecords() {
        var faults = RingFaults()
        faults.recordWasDamaged()
        faults.skipped(100, nowNanoseconds: 5)
        // Lengths come out of rings.
        faults.skipped(.max, nowNanoseconds: 6)
        #expect(faults.damagedRecords == 1 && faults.lostBytes == 99 && faults.skippedAtNanoseconds == 6)
    }
}
