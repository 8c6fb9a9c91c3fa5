// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestCore

@Suite struct RegistrationConflictTests {
    private typealias RemoteRegistration = RegistrationConflict.RemoteRegistration

    private static let since: UInt64 = 1_000

    private func conflict(at time: Int64 = 100, worker: Int = 1) -> RegistrationConflict {
        RegistrationConflict(
            mark: RegistrationMark(registeredAtNanoseconds: time, worker: worker), sinceNanoseconds: Self.since)
    }

    private func other(at time: Int64, worker: Int = 0, confirmedAt: UInt64 = 0) -> RemoteRegistration {
        RemoteRegistration(
            mark: RegistrationMark(registeredAtNanoseconds: time, worker: worker), confirmedAtNanoseconds: confirmedAt)
    }

    @Test func registrationConflict_doesNothingWithoutADuplicate() {
        var conflict = conflict()
        #expect(conflict.check(against: [], nowNanoseconds: 2_000).isEmpty)
        #expect(conflict.end().isEmpty)
    }

    // MARK: The older one

    @Test func registrationConflict_pingsOnceForANewerRegistrationAtAnotherWorker() {
        var conflict = conflict()
        #expect(conflict.check(against: [other(at: 101)], nowNanoseconds: 2_000) == [.ping])
        #expect(conflict.check(against: [other(at: 101)], nowNanoseconds: 2_001).isEmpty)
        #expect(conflict.pingEnded(isAlive: true, nowNanoseconds: 2_002) == [.publishConfirmation])
        #expect(conflict.aliveAtNanoseconds == 2_002)
        #expect(conflict.check(against: [other(at: 101)], nowNanoseconds: 2_003).isEmpty, "it has been told")
        #expect(conflict.check(against: [other(at: 102)], nowNanoseconds: 2_004) == [.ping], "this one is yet newer")
    }

    @Test func registrationConflict_pingsAgainForANewerRegistrationDuringThePing() {
        var conflict = conflict()
        #expect(conflict.check(against: [other(at: 101)], nowNanoseconds: 2_000) == [.ping])
        #expect(conflict.check(against: [other(at: 101), other(at: 102, worker: 2)], nowNanoseconds: 2_001).isEmpty)
        #expect(conflict.pingEnded(isAlive: true, nowNanoseconds: 2_002) == [.publishConfirmation])
        #expect(conflict.check(against: [other(at: 101), other(at: 102, worker: 2)], nowNanoseconds: 2_003) == [.ping])
    }

    @Test func registrationConflict_dropsADeadConnectionForANewerRegistration() {
        var conflict = conflict()
        _ = conflict.check(against: [other(at: 101)], nowNanoseconds: 2_000)
        #expect(conflict.pingEnded(isAlive: false, nowNanoseconds: 3_000) == [.drop(isRegisteredElsewhere: true)])
        #expect(conflict.check(against: [other(at: 102)], nowNanoseconds: 3_001).isEmpty)
        #expect(conflict.pingEnded(isAlive: true, nowNanoseconds: 3_002).isEmpty, "it is over")
    }

    @Test func registrationConflict_treatsTheLowerWorkerAsOlderAtEqualTimes() {
        var lower = conflict(worker: 1)
        #expect(lower.check(against: [other(at: 100, worker: 2)], nowNanoseconds: 2_000) == [.ping])
        var higher = conflict(worker: 2)
        let confirmed = other(at: 100, worker: 1, confirmedAt: Self.since)
        #expect(higher.check(against: [confirmed], nowNanoseconds: 2_000) == [.count(.alive), .yieldToOlder])
    }

    // MARK: The newer one

    @Test func registrationConflict_yieldsToAnOlderConfirmedRegistration() {
        var conflict = conflict()
        #expect(conflict.check(against: [other(at: 99)], nowNanoseconds: 1_001).isEmpty)
        let before = other(at: 99, confirmedAt: Self.since - 1)
        #expect(conflict.check(against: [before], nowNanoseconds: 1_002).isEmpty, "of an earlier conflict")
        let confirmed = other(at: 99, confirmedAt: Self.since)
        #expect(conflict.check(against: [confirmed], nowNanoseconds: 1_003) == [.count(.alive), .yieldToOlder])
        #expect(conflict.check(against: [confirmed], nowNanoseconds: 1_004).isEmpty)
        #expect(conflict.end().isEmpty)
    }

    @Test func registrationConflict_neverYieldsToANewerRegistration() {
        var conflict = conflict()
        let newer = other(at: 101, confirmedAt: .max)
        #expect(conflict.check(against: [newer], nowNanoseconds: 2_000) == [.ping])
    }

    @Test func registrationConflict_countsAnOlderRegistrationThatEnds() {
        var conflict = conflict()
        _ = conflict.check(against: [other(at: 99)], nowNanoseconds: 2_000)
        #expect(conflict.check(against: [], nowNanoseconds: 2_001) == [.count(.gone)])
        #expect(conflict.check(against: [], nowNanoseconds: 2_002).isEmpty)
    }

    @Test func registrationConflict_countsASilentOlderRegistrationOnce() {
        var conflict = conflict()
        let end = 2_000 + RegistrationConflict.timeoutNanoseconds
        _ = conflict.check(against: [other(at: 99)], nowNanoseconds: 2_000)
        #expect(conflict.check(against: [other(at: 99)], nowNanoseconds: end - 1).isEmpty)
        #expect(conflict.check(against: [other(at: 99)], nowNanoseconds: end) == [.count(.unanswered)])
        #expect(conflict.check(against: [other(at: 99)], nowNanoseconds: end + 1).isEmpty)
        #expect(conflict.check(against: [], nowNanoseconds: end + 2).isEmpty)
        // When its worker lives again the two are judged all the same.
        let confirmed = other(at: 99, confirmedAt: end + 3)
        #expect(conflict.check(against: [confirmed], nowNanoseconds: end + 4) == [.count(.alive), .yieldToOlder])
    }

    @Test func registrationConflict_countsARegistrationThatEndsBeforeTheResolution() {
        var conflict = conflict()
        _ = conflict.check(against: [other(at: 99)], nowNanoseconds: 2_000)
        #expect(conflict.end() == [.count(.withdrawn)])
        #expect(conflict.end().isEmpty)
    }

    // MARK: At one worker

    @Test func registrationConflict_pingsForANewRegistrationAtTheSameWorker() {
        var conflict = conflict()
        #expect(conflict.aliveAtNanoseconds == Self.since, "to register is a sign of life")
        #expect(conflict.challenge() == [.ping])
        #expect(conflict.challenge().isEmpty, "it is asked already")
        #expect(conflict.pingEnded(isAlive: true, nowNanoseconds: 2_000) == [.publishConfirmation])
        #expect(conflict.challenge() == [.ping])
        #expect(conflict.pingEnded(isAlive: false, nowNanoseconds: 3_000) == [.drop(isRegisteredElsewhere: false)])
        #expect(conflict.challenge().isEmpty)
    }
}
