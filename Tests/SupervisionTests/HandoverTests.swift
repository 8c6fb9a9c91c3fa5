// SPDX-License-Identifier: Apache-2.0
import Platform
import Settings
import Testing

@testable import Supervision

@Suite struct HandoverTests {
    private static func handover() throws -> Handover {
        var handover = Handover(
            layout: 2, arguments: ["--max-agents=5", "--state-dir=/a=b,c\nd"],
            previous: try ProxySettings(flagValues: [(.maxAgents, "77"), (.stateDirectory, "/a=b,c d")]),
            programs: ProgramPaths(executable: "/usr/sbin/fodc-proxy", workerFolder: nil), previousWorkerFolder: "/old",
            previousPrograms: [.ingest: 40, .exporter: 41], steadyNanoseconds: 12,
            logLevel: "debug", lock: 9, controlSocket: 10, reply: nil,
            grpc: .init(descriptor: 11, name: StoredName(.grpc, generation: 3)), http: .init(descriptor: 12, name: nil),
            nextGeneration: 8)
        handover.previousHTTP = .init(descriptor: 13, name: StoredName(.http, generation: 1))
        handover.lanes = [.init(name: StoredName(.up, 3, generation: 7), writable: 14)]
        handover.bells = [.init(index: 3, parity: 1, ingestEnd: 15, exporterEnd: 16)]
        let states: [WorkerLife.State] = [
            .waiting(untilNanoseconds: 5), .starting(sinceNanoseconds: 6), .standby, .ready(sinceNanoseconds: 7),
            .aborted(.hung(.noHeartbeat), killAtNanoseconds: 8), .killed(.hung(.noHeartbeat)), .drained, .finished,
        ]
        let causes: [DeathCause?] = [
            nil, .exited(code: 3), .killed(signal: 9), .fault(signal: 11, hasDumpedCore: false), .hung(.noHeartbeat),
            .notReady, .requested, nil,
        ]
        for (index, state) in states.enumerated() {
            handover.workers.append(
                .init(
                    role: index == 0 ? .exporter : .ingest, index: index == 0 ? 0 : index - 1, generation: 9, pid: 100,
                    pidfd: 17, link: index == 1 ? -1 : 18, state: state, startedAtNanoseconds: 3,
                    readyAtNanoseconds: index == 2 ? nil : 4, policy: [1, 2, 3], isLeaving: index == 3,
                    isDraining: index == 6, startsFresh: index == 4, hasOldLanes: index == 5,
                    lastCause: causes[index], killAtNanoseconds: index == 5 ? 99 : nil,
                    lastFailure: causes[index] == .requested ? .killed(signal: 9) : nil))
        }
        handover.startFlags = [(.maxAgents, "7"), (.stateDirectory, "/a=b")]
        handover.hasPendingReload = true
        handover.obsoleteNames = ["up-3.6"]
        _ = handover.suspicion.ingestDied(over: 7, nowNanoseconds: 5)
        _ = handover.suspicion.ingestDied(over: 7, nowNanoseconds: 6)
        _ = handover.suspicion.exporterDied(over: nil, nowNanoseconds: 7)
        handover.quarantine = ("ingest-1", 55)
        return handover
    }

    @Test func whatIsWrittenIsRead() throws {
        let handover = try Self.handover()
        let read = try Handover(decoding: handover.encoded)
        // Dictionaries have no order.
        func lines(_ bytes: [UInt8]) -> Set<String> {
            Set(bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
        }
        #expect(lines(read.encoded) == lines(handover.encoded))
        #expect(read.suspicion.held == handover.suspicion.held && read.quarantine?.name == "ingest-1")
        #expect(read.workers == handover.workers)
        #expect(read.lanes == handover.lanes && read.bells == handover.bells)
        #expect(read.previous == handover.previous && read.arguments == handover.arguments)
        #expect(read.programs == handover.programs && read.previousPrograms == handover.previousPrograms)
        #expect(read.lock == 9 && read.reply == nil && read.logLevel == "debug")
        #expect(read.http.name == nil && read.previousHTTP == handover.previousHTTP && read.previousGRPC == nil)
    }

    @Test func whatALaterProgramAddsIsLeftOut() throws {
        let handover = try Self.handover()
        #expect(throws: Never.self) { try Handover(decoding: handover.encoded + Array("colour=blue\0".utf8)) }
    }

    @Test func whatIsMissingOrBrokenIsAnError() throws {
        let bytes = try Self.handover().encoded
        for key in ["layout", "executable", "steady", "grpc", "http", "next-generation"] {
            let without = bytes.split(separator: 0).filter { !$0.starts(with: Array("\(key)=".utf8)) }
            #expect(throws: SystemError.self, "without \(key)") {
                try Handover(decoding: Array(without.joined(separator: [0])))
            }
        }
        for broken in ["lane=up-3.7", "lane=up-64.1,3", "bell=1,2,3", "worker=exporter,0", "worker", "lane=x,y,z"] {
            #expect(throws: SystemError.self, "\(broken)") {
                try Handover(decoding: bytes + Array("\(broken)\0".utf8))
            }
        }
        #expect(throws: SystemError.self) { try Handover(decoding: []) }
    }
}
