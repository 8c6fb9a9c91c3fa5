// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports
import RingMessages
import Rings

/// The captures that agents have on disk, as they last said.
final class ProfileLists {
    static let waitNanoseconds: UInt64 = 10_000_000_000

    typealias Lists = [ListOfAgent]

    struct ListOfAgent: Sendable {
        var agent: AgentID
        var list: PressureReport.List
    }

    private typealias Maker = ReportMaker<AgentFilter, Lists, Lists>

    private let sources: ReportSources
    private let thread: ReportThread
    private lazy var maker: Maker = sources.maker(thread) {
        [unowned self] filter throws(ReportFailure) in
        try makeJob(filter)
    } _: {
        $0
    }

    init(_ sources: ReportSources, _ thread: ReportThread) {
        self.sources = sources
        self.thread = thread
    }

    /// The known lists, without asking.
    func known(_ filter: AgentFilter, _ done: @escaping (Result<Lists, ReportFailure>) -> Void) {
        maker.report(filter, done)
    }

    /// Asks agents for their lists. An agent that serves a download is not asked; what is known of it counts.
    func refresh(_ filter: AgentFilter, _ done: @escaping (AnswerResult) -> Void) {
        sources.collect(.pressureProfiles, filter, waitNanoseconds: Self.waitNanoseconds, done)
    }

    private func makeJob(_ filter: AgentFilter) throws(ReportFailure) -> Maker.Job {
        let known = try known(of: sources.reporters(filter))
        let decode = known.decode
        return Maker.Job(answers: known.lease) { .success(decode($0)) }
    }

    /// Answers that have been copied, and how they are decoded on the thread.
    struct Known {
        var agents: Set<AgentID>
        var decode: @Sendable (AnswerDecoder) -> Lists
        var lease: ReportBudget.Lease
    }

    func known(of reporters: [AgentID: ReportingAgent]) throws(ReportFailure) -> Known {
        let answers = try sources.reader.newest(.pressureList, of: Set(reporters.keys))
        let byAgent = answers.byAgent
        let decode: @Sendable (AnswerDecoder) -> Lists = { decoder in
            byAgent.compactMap { id, answer in
                reporters[id].map { ListOfAgent(agent: id, list: Self.list(answer, $0, decoder)) }
            }
        }
        return Known(agents: Set(byAgent.keys), decode: decode, lease: answers.lease)
    }

    private static func list(
        _ answer: AnswerReader.Answer, _ reporter: ReportingAgent, _ decoder: AnswerDecoder
    ) -> PressureReport.List {
        let messages = decoder.messages(Banyandb_Fodc_V1_StreamPressureProfilesRequest.self, of: answer)
        return PressureReport.List(reporter: reporter, records: messages.map(\.record))
    }
}
