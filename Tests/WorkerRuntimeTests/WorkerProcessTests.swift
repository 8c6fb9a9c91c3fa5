// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing
import WorkerLink
import WorkerRuntime

/// The life of a worker process, from its arguments to its exit code.
@Suite struct WorkerProcessTests {
    @Test func worker_handlesMessagesInOrder() throws {
        let worker = try WorkerUnderTest()
        #expect(try worker.nextMessage() == .ready)
        try worker.send(.logLevel("debug"))
        try worker.send(.accepting(false))
        #expect(try worker.nextMessage() == .accepting(false))
        try worker.send(.ring(index: 1), descriptors: 1)
        try worker.send(.ringGone(index: 1))
        try worker.send(.adopt(index: 1))
        #expect(try worker.nextMessage() == .adopted(index: 1))
        try worker.send(.takeRing)
        try worker.send(.drain(deadlineNanoseconds: 77))
        #expect(worker.end() == .exited(code: 0))
        let lines = [
            "starts on its loop: true", "accepts: false", "ring 1 of 1", "ring 1 is gone", "adopts 1",
            "drains until 77",
        ]
        #expect(worker.output.split(separator: "\n").map(String.init).filter(lines.contains) == lines)
        #expect(!worker.output.contains("checks"), "only one that stands by is checked before")
    }

    @Test func exporter_receivesARingWithItsWakeup_andRetires() throws {
        let worker = try WorkerUnderTest(.exporter)
        #expect(try worker.nextMessage() == .ready)
        try worker.send(.ring(index: 1), descriptors: 3)
        #expect(worker.says("ring 1 of 3"))
        try worker.send(.retire(deadlineNanoseconds: 88))
        #expect(worker.end() == .exited(code: 0) && worker.output.contains("retires until 88"))
    }

    @Test func worker_endsAtOnce_onStop_orWithoutASupervisor() throws {
        for isTold in [true, false] {
            let worker = try WorkerUnderTest()
            #expect(try worker.nextMessage() == .ready)
            if isTold { try worker.send(.stop) } else { worker.leave() }
            #expect(worker.end() == .exited(code: 0) && !worker.output.contains("drains"))
        }
    }

    // MARK: RecordState by

    @Test func standby_handlesEarlyMessages_whenItHasTheRing() throws {
        let worker = try WorkerUnderTest(isStandby: true)
        #expect(try worker.nextMessage() == .standby)
        #expect(worker.says("checks ingest-0"))
        try worker.send(.logLevel("error"))
        try worker.send(.ring(index: 1), descriptors: 1)
        try worker.send(.accepting(false))
        #expect(!worker.output.contains("starts"))
        try worker.send(.takeRing)
        #expect(try worker.nextMessage() == .ready)
        #expect(try worker.nextMessage() == .accepting(false))
        try worker.send(.drain(deadlineNanoseconds: 1))
        #expect(worker.end() == .exited(code: 0))
        #expect(worker.output.contains("ring 1 of 1\naccepts: false\ndrains until 1"))
    }

    @Test func standby_thatIsNotNeeded_ends() throws {
        let orders: [SupervisorMessage?] = [
            .drain(deadlineNanoseconds: 1), .retire(deadlineNanoseconds: 1), .stop, nil,
        ]
        for order in orders {
            let worker = try WorkerUnderTest(isStandby: true)
            #expect(try worker.nextMessage() == .standby)
            if let order { try worker.send(order) } else { worker.leave() }
            #expect(worker.end() == .exited(code: 0) && !worker.output.contains("starts"))
        }
    }

    // MARK: What goes wrong

    @Test(arguments: [("stand-by", true, "cannot become a standby process"), ("start", false, "cannot serve")])
    func worker_reportsWhyItCannotStart(plan: String, isStandby: Bool, line: String) throws {
        let worker = try WorkerUnderTest(isStandby: isStandby, plan: plan)
        #expect(worker.end() == .exited(code: WorkerProcess.exitFailure))
        #expect(worker.output.contains(line) && worker.output.contains("CannotDoIt"))
        #expect(try worker.nextMessage() == nil, "it has not said that it is of use")
    }

    @Test func worker_endsWhenItsRingCannotBeMapped() throws {
        for (plan, descriptors) in [("rings", 1), ("", 0), ("", 3)] {
            let worker = try WorkerUnderTest(plan: plan)
            #expect(try worker.nextMessage() == .ready)
            try worker.send(.ring(index: 1), descriptors: descriptors)
            #expect(worker.end() == .exited(code: WorkerProcess.exitFailure))
            #expect(worker.output.contains("cannot take a ring") && worker.output.contains("ingest-1: "))
        }
    }

    @Test func worker_endsOnATruncatedMessage() throws {
        let worker = try WorkerUnderTest()
        #expect(try worker.nextMessage() == .ready)
        let long = [UInt8](repeating: 1, count: MessageSocket.limitBytes + 1)
        #expect(send(worker.link, long, long.count, 0) == long.count)
        #expect(worker.end() == .exited(code: WorkerProcess.exitFailure))
        #expect(worker.output.contains("a message of the supervisor arrived without all of its descriptors"))
    }

    @Test func worker_startedByHand_namesThePublicProgram() throws {
        for arguments in [[], ["--help"], ["--worker=ingest"]] {
            let worker = try WorkerUnderTest(arguments: arguments)
            #expect(worker.end() == .exited(code: WorkerProcess.exitUsage))
            #expect(worker.output.hasPrefix("probe is started by fodc-proxy, not by hand: "))
        }
    }

    @Test func worker_answersCheck_beforeAnythingElse() throws {
        let worker = try WorkerUnderTest(arguments: [WorkerCheck.argument])
        #expect(worker.end() == .exited(code: 0) && worker.output == "\(WorkerCheck.line)\n")
    }

    @Test func workerCheck_looksAtTheFilesOfItsSettings() throws {
        for (path, code) in [("/good.yml", Int32(0)), ("/bad.yml", WorkerProcess.exitUsage)] {
            let worker = try WorkerUnderTest(arguments: [WorkerCheck.argument, "--set-web-config-file=\(path)"])
            #expect(worker.end() == .exited(code: code))
            let reason = code == 0 ? "" : "/bad.yml, line 1: it is bad\n"
            #expect(worker.output == "\(WorkerCheck.line)\n" + reason)
        }
        let worker = try WorkerUnderTest(arguments: [WorkerCheck.argument, "--set-nothing=1"])
        #expect(worker.end() == .exited(code: WorkerProcess.exitUsage) && worker.output.contains("--set-nothing"))
    }
}
