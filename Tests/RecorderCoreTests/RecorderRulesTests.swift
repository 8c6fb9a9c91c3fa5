// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Testing

@testable import RecorderCore

private let second: Int64 = 1_000_000_000

struct RecordingIntervalTests {
    private let interval = RecordingInterval(nanoseconds: 10 * second)

    @Test func recordingInterval_takesScrapesOfTheSameInterval() {
        var last: Int64?
        var taken = 0
        for number in 0..<100 as Range<Int64> {
            let received = number * 10 * second + (number % 2 == 0 ? 900_000_000 : -900_000_000)
            if interval.isDue(receivedAt: received, last: last, isCopy: false) {
                last = received
                taken += 1
            }
        }
        #expect(taken == 100)
    }

    @Test func recordingInterval_skipsMoreFrequentScrapes() {
        var last: Int64?
        var taken = 0
        for number in 0..<100 as Range<Int64>
        where interval.isDue(receivedAt: number * second, last: last, isCopy: false) {
            last = number * second
            taken += 1
        }
        #expect(taken == 13, "every eighth")
    }

    @Test func recordingInterval_takesACopyOnlyIfItIsNew() {
        #expect(interval.isDue(receivedAt: 5 * second, last: nil, isCopy: true))
        #expect(!interval.isDue(receivedAt: 100 * second, last: 100 * second, isCopy: true))
        #expect(!interval.isDue(receivedAt: 50 * second, last: 100 * second, isCopy: true))
        #expect(interval.isDue(receivedAt: 110 * second, last: 100 * second, isCopy: true))
    }

    @Test func recordingInterval_continuesWhenTheClockWasSetBack() {
        #expect(interval.isDue(receivedAt: 50 * second, last: 100 * second, isCopy: false))
        #expect(interval.isDue(receivedAt: .min, last: .max, isCopy: false))
        #expect(!interval.isDue(receivedAt: .min, last: .max, isCopy: true))
    }
}

struct NodePresenceTests {
    private static func update(_ presence: inout NodePresence, _ present: Set<Int64>, at now: UInt64) -> [NodePresence
        .Change]
    {
        presence.update(present: present, now: now, wallNow: Int64(now) + 1_000) { _ in .keepalive }
    }

    @Test func nodePresence_toleratesAShortAbsence() {
        var presence = NodePresence(graceNanoseconds: 15)
        #expect(Self.update(&presence, [1, 2], at: 0) == [])
        #expect(Self.update(&presence, [1], at: 10) == [])
        #expect(Self.update(&presence, [1], at: 24) == [])
        #expect(Self.update(&presence, [1, 2], at: 25) == [], "it was back in time")
        #expect(presence.presentCount == 2)
    }

    @Test func nodePresence_reportsLossAndReturnOnce() {
        var presence = NodePresence(graceNanoseconds: 15)
        _ = Self.update(&presence, [1, 2], at: 0)
        _ = Self.update(&presence, [1], at: 10)
        #expect(Self.update(&presence, [1], at: 25) == [.gone(2, lostAtNanoseconds: 1_010, .keepalive)])
        #expect(Self.update(&presence, [1], at: 100) == [])
        #expect(Self.update(&presence, [1, 2], at: 101) == [.back(2)])
        #expect(Self.update(&presence, [1, 2], at: 102) == [])
    }

    @Test func nodePresence_givesNodesOfAPredecessorTimeToComeBack() {
        var presence = NodePresence(graceNanoseconds: 15)
        presence.restore(gone: [1], others: [2, 3], now: 130, wallNow: 7)
        #expect(Self.update(&presence, [3], at: 100) == [])
        #expect(Self.update(&presence, [3], at: 144) == [])
        #expect(Self.update(&presence, [1, 3], at: 145) == [.back(1), .gone(2, lostAtNanoseconds: 7, .keepalive)])
    }
}

struct StoreConditionTests {
    private static func error(_ cause: DatabaseError.Cause) -> DatabaseError {
        DatabaseError(cause, action: "commit", reason: "no")
    }

    @Test func storeCondition_retriesAFailedDiskWithBackoff() {
        var condition = StoreCondition()
        var waits: [UInt64] = []
        for _ in 0..<8 {
            #expect(condition.failed(Self.error(.full), now: 1_000) == .wait)
            waits.append((condition.retryAtNanoseconds - 1_000) / 1_000_000_000)
        }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30])
        condition.succeeded()
        #expect(condition.trouble == nil)
        #expect(condition.retryAtNanoseconds == 0)
    }

    @Test func storeCondition_movesADamagedFileAsideOnce() {
        var condition = StoreCondition()
        #expect(condition.failed(Self.error(.corrupt), now: 0) == .setAside)
        #expect(condition.failed(Self.error(.corrupt), now: 0) == .wait, "the new one is damaged, too: it is the disk")
        condition.succeeded()
        #expect(condition.failed(Self.error(.foreign), now: 0) == .setAside)
    }

    @Test(arguments: DatabaseError.Cause.allCases)
    func storeCondition_namesARemedyForEachCause(cause: DatabaseError.Cause) {
        #expect(!StoreCondition.remedy(cause).isEmpty)
    }

    @Test func storeCondition_leavesALaterSchemaAlone() {
        var condition = StoreCondition()
        #expect(condition.failed(Self.error(.newerSchema), now: 0) == .wait)
    }
}
