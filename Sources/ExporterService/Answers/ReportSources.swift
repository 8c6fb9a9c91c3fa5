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
    let thread: ReportThread
    let answers: ReportAnswers
    /// Records in answers that had no key, by stream, since this process began.
    private(set) var droppedRecords: [AgentStream: UInt64] = [:]

    init(
        directory: AgentDirectory, collections: AnswerCollections, reader: AnswerReader, thread: ReportThread,
        answers: ReportAnswers
    ) {
        self.answers = answers
        self.directory = directory
        self.collections = collections
        self.reader = reader
        self.thread = thread
    }

    func noteDropped(_ count: Int, _ stream: AgentStream) {
        if count > 0 { droppedRecords[stream, default: 0] += UInt64(count) }
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

extension HTTPResponder {
    func respond(_ error: AnswerReader.TooLarge) { respond(status: 503, text: error.text) }
}
