// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing
import WorkerLink
import WorkerRuntime

/// The life of a worker process, from its arguments to its exit code.
@Suite struct WorkerProcessTests {
    @Test func worker_obeysInTheOrderInWhichItIsTold() throws {
        let worker = try WorkerUnderTest()
        #expect(try worker.nextMessage() == .ready)
        try worker.send(.logLevel("debug"))
        try worker.send(.accepting(false))
        #expect(try worker.nextMessage() == .accepting(false))
        try worker.send(.lane(index: 1), descriptors: 1)
        try worker.send(.laneGone(index: 1))
        try worker.send(.adopt(index: 1))
        #expect(try worker.nextMessage() == .adopted(index: 1))
        try worker.send(.takeLane)
        try worker.send(.drain(deadlineNanoseconds: 77))
        #expect(worker.end() == .exited(code: 0))
        let lines = [
            "starts on its loop: true", "accepts: false", "lane 1 of 1", "lane 1 is gone", "adopts 1",
            "drains until 77",
        ]
        #expect(worker.output.split(separator: "\n").map(String.init).filter(lines.contains) == lines)
        #expect(!worker.output.contains("checks"), "only one that stands by is checked before")
    }

    @Test func exporter_getsALaneWithItsBell_andRetires() throws {
        let worker = try WorkerUnderTest(.exporter)
        #expect(try worker.nextMessage() == .ready)
        try worker.send(.lane(index: 1), descriptors: 3)
        #expect(worker.says("lane 1 of 3"))
        try worker.send(.retire(deadlineNanoseconds: 88))
        #expect(worker.end() == .exited(code: 0) && worker.output.contains("retires until 88"))
    }

    @Test func worker_endsAtOnce_whenItIsToldTo_orTheSupervisorIsGone() throws {
        for isTold in [true, false] {
            let worker = try WorkerUnderTest()
            #expect(try worker.nextMessage() == .ready)
            if isTold { try worker.send(.stop) } else { worker.leave() }
            #expect(worker.end() == .exited(code: 0) && !worker.output.contains("drains"))
        }
    }

    // MARK: Standing by

    @Test func standby_obeysEarlyOrders_whenTheLaneIsItsOwn() throws {
        let worker = try WorkerUnderTest(isStandby: true)
        #expect(try worker.nextMessage() == .standby)
        #expect(worker.says("checks ingest-0"))
        try worker.send(.logLevel("error"))
        try worker.send(.lane(index: 1), descriptors: 1)
        try worker.send(.accepting(false))
        #expect(!worker.output.contains("starts"))
        try worker.send(.takeLane)
        #expect(try worker.nextMessage() == .ready)
        #expect(try worker.nextMessage() == .accepting(false))
        try worker.send(.drain(deadlineNanoseconds: 1))
        #expect(worker.end() == .exited(code: 0))
        #expect(worker.output.contains("lane 1 of 1\naccepts: false\ndrains until 1"))
    }

    @Test func standby_thatIsOfNoUse_ends() throws {
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
    func workerThatCannot_saysWhy(plan: String, isStandby: Bool, line: String) throws {
        let worker = try WorkerUnderTest(isStandby: isStandby, plan: plan)
        #expect(worker.end() == .exited(code: WorkerProcess.exitFailure))
        #expect(worker.output.contains(line) && worker.output.contains("CannotDoIt"))
        #expect(try worker.nextMessage() == nil, "it has not said that it is of use")
    }

    @Test func laneThatCannotBeTaken_isTheEnd() throws {
        for (plan, descriptors) in [("lanes", 1), ("", 0), ("", 3)] {
            let worker = try WorkerUnderTest(plan: plan)
            #expect(try worker.nextMessage() == .ready)
            try worker.send(.lane(index: 1), descriptors: descriptors)
            #expect(worker.end() == .exited(code: WorkerProcess.exitFailure))
            #expect(worker.output.contains("cannot take a ring") && worker.output.contains("ingest-1: "))
        }
    }

    @Test func orderThatCameInPart_isTheEnd() throws {
        let worker = try WorkerUnderTest()
        #expect(try worker.nextMessage() == .ready)
        let long = [UInt8](repeating: 1, count: MessageSocket.limitBytes + 1)
        #expect(send(worker.link, long, long.count, 0) == long.count)
        #expect(worker.end() == .exited(code: WorkerProcess.exitFailure))
        #expect(worker.output.contains("a message of the supervisor arrived without all of its descriptors"))
    }

    @Test func workerStartedByHand_saysSo() throws {
        for arguments in [[], ["--help"], ["--worker=ingest"]] {
            let worker = try WorkerUnderTest(arguments: arguments)
            #expect(worker.end() == .exited(code: WorkerProcess.exitUsage))
            #expect(worker.output.hasPrefix("probe is started by fodc-proxy, not by hand: "))
        }
    }

    @Test func check_isAnswered_beforeAnythingElse() throws {
        let worker = try WorkerUnderTest(arguments: [WorkerCheck.argument])
        #expect(worker.end() == .exited(code: 0) && worker.output == "\(WorkerCheck.line)\n")
    }
}
