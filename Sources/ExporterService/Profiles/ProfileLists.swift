// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import HTTPServer
import Lanes
import Reports

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
    private lazy var maker: Maker = sources.maker(.profiles) {
        [unowned self] filter throws(ReportFailure) in
        try makeJob(filter)
    } _: {
        $0
    }

    init(sources: ReportSources) {
        self.sources = sources
    }

    /// What is known now, without asking.
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
    fileprivate struct Known {
        var agents: Set<AgentID>
        var decode: @Sendable (AnswerDecoder) -> Lists
        var lease: ReportBudget.Lease
    }

    fileprivate func known(of reporters: [AgentID: Reporter]) throws(ReportFailure) -> Known {
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
        _ answer: AnswerReader.Answer, _ reporter: Reporter, _ decoder: AnswerDecoder
    ) -> PressureReport.List {
        let messages = decoder.messages(Banyandb_Fodc_V1_StreamPressureProfilesRequest.self, of: answer)
        return PressureReport.List(reporter: reporter, records: messages.map(\.record))
    }
}

/// `GET /pressure-profiles`.
final class ProfileListEndpoint {
    private typealias Maker = ReportMaker<AgentFilter, MadeReport, FinishedReport>

    private let lists: ProfileLists
    private let sources: ReportSources
    private lazy var maker: Maker = sources.maker(.profiles, .pressureProfiles) {
        [unowned self] filter throws(ReportFailure) in try makeJob(filter)
    }

    init(lists: ProfileLists, sources: ReportSources) {
        self.lists = lists
        self.sources = sources
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportSources.respondHead(to: responder) }
        let filter = AgentFilter(request)
        lists.refresh(filter) { [self] result in
            if let failure = result.failure { return sources.refuse(failure, .profiles, to: responder) }
            maker.report(filter) { [sources] in sources.respond($0, .profiles, result, to: responder) }
        }
    }

    private func makeJob(_ filter: AgentFilter) throws(ReportFailure) -> Maker.Job {
        let reporters = sources.reporters(filter)
        let known = try lists.known(of: reporters)
        let decode = known.decode
        let leftOut = sources.leftOut(.pressureProfiles, of: reporters, known: known.agents)
        return Maker.Job(answers: known.lease) { decoder in
            let report = PressureReport(lists: decode(decoder).map(\.list))
            return .success(MadeReport(report.json, dropped: report.droppedRecords, leftOut: leftOut))
        }
    }
}
