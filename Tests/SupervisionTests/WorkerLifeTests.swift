// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Supervision

@Suite struct WorkerLifeTests {
    private let second: UInt64 = 1_000_000_000

    private func ready(_ life: inout WorkerLife, _ now: UInt64) {
        #expect(life.tick(hang: nil, nowNanoseconds: now) == .start)
        life.started(nowNanoseconds: now)
        #expect(life.becameReady(nowNanoseconds: now + 1) == true)
    }

    private func fault(_ verdict: DeathCause?) -> DeathCause {
        DeathCause(.killed(signal: SIGSEGV, hasDumpedCore: false), verdict: verdict)
    }

    @Test func startsAtOnceAndServes() {
        var life = WorkerLife(nowNanoseconds: 5)
        ready(&life, 5)
        #expect(life.isReady && life.hasProcess)
        #expect(life.tick(hang: nil, nowNanoseconds: 3600 * second) == nil)
    }

    @Test func diesAndComesBackByThePolicy() {
        var life = WorkerLife(nowNanoseconds: 0)
        ready(&life, 0)
        let death = life.ended(fault, nowNanoseconds: second)
        #expect(death.cause == .fault(signal: SIGSEGV, hasDumpedCore: false))
        #expect(death.uptimeNanoseconds == second)
        #expect(death.restartDelayNanoseconds == 0)
        ready(&life, second)
        #expect(life.ended(fault, nowNanoseconds: 2 * second).restartDelayNanoseconds == 250_000_000)
        #expect(life.tick(hang: nil, nowNanoseconds: 2 * second + 249_999_999) == nil)
        #expect(life.tick(hang: nil, nowNanoseconds: 2 * second + 250_000_000) == .start)
    }

    /// A predecessor's clock was ahead of ours.
    @Test func diesBeforeItsStart() {
        var life = WorkerLife(nowNanoseconds: 0)
        ready(&life, second)
        let death = life.ended(fault, nowNanoseconds: 1)
        #expect(death.uptimeNanoseconds == 0 && death.deathsInRow == 1)
    }

    @Test func whoWasKilledOnRequestComesBackAtOnce() {
        var life = WorkerLife(nowNanoseconds: 0)
        ready(&life, 0)
        _ = life.ended(fault, nowNanoseconds: second)
        ready(&life, second)
        #expect(life.kill(.requested) == .kill(.requested))
        let death = life.ended({ $0 ?? .requested }, nowNanoseconds: 2 * second)
        #expect(death.cause == .requested && death.restartDelayNanoseconds == 0 && death.deathsInRow == 1)
        #expect(life.tick(hang: nil, nowNanoseconds: 2 * second) == .start)
    }

    @Test func hangsIsAbortedThenKilled() {
        var life = WorkerLife(nowNanoseconds: 0)
        ready(&life, 0)
        #expect(life.tick(hang: .noHeartbeat, nowNanoseconds: second) == .abort(.hung(.noHeartbeat)))
        #expect(life.tick(hang: .noHeartbeat, nowNanoseconds: second + 499_999_999) == nil)
        #expect(life.tick(hang: nil, nowNanoseconds: second + 500_000_000) == .kill(.hung(.noHeartbeat)))
        #expect(life.tick(hang: nil, nowNanoseconds: 9 * second) == nil)
        // Whatever the signal was that hit in the end, the cause is ours.
        let death = life.ended(
            { DeathCause(.killed(signal: SIGKILL, hasDumpedCore: false), verdict: $0) }, nowNanoseconds: 9 * second)
        #expect(death.cause == .hung(.noHeartbeat))
    }

    @Test func notReadyInTimeIsADeath() {
        var life = WorkerLife(nowNanoseconds: 0)
        #expect(life.tick(hang: nil, nowNanoseconds: 0) == .start)
        life.started(nowNanoseconds: 0)
        // No hang counts before it is ready.
        #expect(life.tick(hang: .noHeartbeat, nowNanoseconds: WorkerLife.readyLimitNanoseconds - 1) == nil)
        #expect(life.tick(hang: nil, nowNanoseconds: WorkerLife.readyLimitNanoseconds) == .abort(.notReady))
        #expect(life.becameReady(nowNanoseconds: WorkerLife.readyLimitNanoseconds + 1) == false)
        #expect(life.ended(fault, nowNanoseconds: 11 * second).cause == .notReady)
    }

    @Test func readyTwiceIsReadyOnce() {
        var life = WorkerLife(nowNanoseconds: 0)
        ready(&life, 0)
        #expect(life.becameReady(nowNanoseconds: 2) == false)
    }

    @Test func anEndThatIsWantedHasNoSuccessor() {
        var life = WorkerLife(nowNanoseconds: 0)
        ready(&life, 0)
        life.end()
        let death = life.ended({ DeathCause(.exited(code: 0), verdict: $0) }, nowNanoseconds: second)
        #expect(death.cause == .requested)
        #expect(death.restartDelayNanoseconds == nil)
        #expect(life.state == .finished)
        #expect(life.tick(hang: nil, nowNanoseconds: 99 * second) == nil)
    }

    @Test func aWaitingWorkerThatIsEndedIsFinished() {
        var life = WorkerLife(nowNanoseconds: 0)
        ready(&life, 0)
        _ = life.ended(fault, nowNanoseconds: 1)
        life.end()
        #expect(life.state == .finished)
        #expect(life.killNow() == nil)
    }

    @Test func aWorkerThatHangsWhileEndingIsStillEnded() {
        var life = WorkerLife(nowNanoseconds: 0)
        ready(&life, 0)
        life.end()
        #expect(life.tick(hang: .noHeartbeat, nowNanoseconds: second) == .abort(.hung(.noHeartbeat)))
        #expect(life.ended(fault, nowNanoseconds: 2 * second).restartDelayNanoseconds == nil)
        #expect(life.state == .finished)
    }

    @Test func whatCannotBeStartedIsTriedAgainLater() {
        var life = WorkerLife(nowNanoseconds: 0)
        #expect(life.tick(hang: nil, nowNanoseconds: 0) == .start)
        #expect(life.couldNotStart(nowNanoseconds: 0).restartDelayNanoseconds == 0)
        #expect(life.couldNotStart(nowNanoseconds: 0).restartDelayNanoseconds == 250_000_000)
    }

    @Test(arguments: [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT]) func faultsAreTold(signal: Int32) {
        #expect(
            DeathCause(.killed(signal: signal, hasDumpedCore: true), verdict: nil)
                == .fault(signal: signal, hasDumpedCore: true))
    }

    @Test func othersSignalsAreNoFaults() {
        #expect(DeathCause(.killed(signal: SIGKILL, hasDumpedCore: false), verdict: nil) == .killed(signal: SIGKILL))
        #expect(DeathCause(.killed(signal: SIGTERM, hasDumpedCore: false), verdict: nil).text == "SIGTERM")
    }
}
