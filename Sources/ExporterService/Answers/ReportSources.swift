// SPDX-License-Identifier: Apache-2.0
import Exchange
import HTTPServer
import Lanes
import Platform
import Reports

/// What every report on agents is made from.
final class ReportSources {
    let directory: AgentDirectory
    let collections: AnswerCollections
    let reader: AnswerReader
    let threads: ReportThreads
    let answers: ReportAnswers
    private let partial: PartialAnswers
    /// Records in answers that had no key, by stream, since this process began.
    private(set) var droppedRecords: [AgentStream: UInt64] = [:]

    init(
        directory: AgentDirectory, collections: AnswerCollections, reader: AnswerReader, threads: ReportThreads,
        answers: ReportAnswers, partial: PartialAnswers
    ) {
        self.answers = answers
        self.partial = partial
        for path in ReportPath.allCases {
            for cause in ReportFailure.causes + [ReportAnswers.tooManyBytes] {
                partial.expect(path.rawValue, cause, .refused)
            }
            for cause in CollectionResult.Interruption.allCases {
                partial.expect(path.rawValue, cause.rawValue, .lastKnown)
            }
            partial.expect(path.rawValue, SampleSelection.noAnswer, .leftOut)
        }
        self.directory = directory
        self.collections = collections
        self.reader = reader
        self.threads = threads
    }

    func noteDropped(_ count: Int, _ stream: AgentStream) {
        if count > 0 { droppedRecords[stream, default: 0] += UInt64(count) }
    }

    // MARK: What is not whole

    func refuse(_ failure: ReportFailure, _ path: ReportPath, to responder: HTTPResponder) {
        partial.refuse(path.rawValue, failure.cause, failure.text, to: responder)
    }

    /// Hands a report to its client.
    /// - Parameter leftOut: agents that were asked and are not in it.
    func respond(
        _ json: [UInt8], _ path: ReportPath, _ result: AnswerResult = AnswerResult(), leftOut: Int = 0,
        to responder: HTTPResponder
    ) {
        guard !responder.isClosed else { return }
        guard answers.respond(json, headers: PartialAnswers.headers(leftOut: leftOut), to: responder) else {
            return partial.add(path.rawValue, ReportAnswers.tooManyBytes, .refused)
        }
        for cause in result.interruptions { partial.add(path.rawValue, cause.rawValue, .lastKnown) }
        if leftOut > 0 { partial.add(path.rawValue, SampleSelection.noAnswer, .leftOut) }
    }

    /// How many agents have the stream, and nothing is known of what they would say.
    func leftOut(_ stream: AgentStream, of reporters: [AgentID: Reporter], known: Set<AgentID>) -> Int {
        let listed = directory.listed()
        return reporters.keys.lazy.filter { !known.contains($0) && listed[$0]?.worker(having: stream) != nil }.count
    }

    /// The registry, read anew.
    func reporters(_ filter: AgentFilter? = nil) -> [AgentID: Reporter] {
        directory.refresh(nowNanoseconds: MonotonicClock.nowNanoseconds())
        return directory.reporters(filter)
    }

    /// Asks those that a filter lets through, or everybody; `served` gets the agents as they are after that. With a
    /// filter that lets nobody through nobody is asked.
    func collect(
        _ stream: AgentStream, _ filter: AgentFilter, waitNanoseconds: UInt64,
        _ served: @escaping ([AgentID: Reporter], AnswerResult) -> Void
    ) {
        var target = AnswerCollections.Target(stream: stream, agents: nil)
        if !filter.isEmpty {
            let ids = reporters(filter).keys.sorted { ($0.high, $0.low) < ($1.high, $1.low) }
            guard !ids.isEmpty else { return served([:], AnswerResult()) }
            target.agents = ids
        }
        collections.collect(target, waitNanoseconds: waitNanoseconds) { [self] result in
            served(reporters(filter), result)
        }
    }
}

/// Where reports on agents are. The raw values are metric label values.
enum ReportPath: String, CaseIterable {
    case cluster = "/cluster"
    case topology = "/cluster/topology"
    case configuration = "/cluster/config"
    case lifecycle = "/cluster/lifecycle"
    case diagnostics = "/diagnostics"
    case profiles = "/pressure-profiles"
    case download = "/pressure-profiles/{pod_name}/{profile_id}/{type}"
}
