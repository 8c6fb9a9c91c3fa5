// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import HTTPServer
import Lanes
import Reports

/// `GET /cluster/topology`: the agents' views of the cluster as one. Of an agent that does not answer its last one counts,
/// as long as it is listed.
final class TopologyEndpoint {
    static let waitNanoseconds: UInt64 = 10_000_000_000

    private typealias Maker = ReportMaker<AgentFilter, MadeReport, FinishedReport>

    private let sources: ReportSources
    private let decoded = DecodedAnswers<Banyandb_Fodc_V1_StreamClusterTopologyRequest>()
    private lazy var maker: Maker = sources.maker(.topology, .topology) { [unowned self] _ throws(ReportFailure) in
        try makeJob()
    }

    init(sources: ReportSources) {
        self.sources = sources
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportSources.respondHead(to: responder) }
        sources.collect(.topology, AgentFilter(), waitNanoseconds: Self.waitNanoseconds) { [self] result in
            if let failure = result.failure { return sources.refuse(failure, .topology, to: responder) }
            maker.report(AgentFilter()) { [sources] in sources.respond($0, .topology, result, to: responder) }
        }
    }

    private func makeJob() throws(ReportFailure) -> Maker.Job {
        let reporters = sources.reporters()
        let answers = try sources.reader.newest(.topology, of: Set(reporters.keys))
        let (byAgent, leftOut) = (
            answers.byAgent, sources.leftOut(.topology, of: reporters, known: answers.byAgent.keys)
        )
        let directory = sources.directory
        let agents = directory.listed().values.compactMap { listed in
            listed.home.identity.map {
                TopologyReport.RegisteredAgent(
                    podName: $0.identity.podName, isOnline: listed.home.entry.status == .online,
                    lastHeartbeatNanoseconds: directory.lastHeartbeatNanoseconds(of: listed))
            }
        }
        return Maker.Job(answers: answers.lease) { [decoded] decoder in
            let views = decoded.messages(of: byAgent, decoder).map {
                TopologyReport.View(message: $0.message, receivedAtNanoseconds: $0.answer.receivedAtNanoseconds)
            }
            let report = TopologyReport(views: views, agents: agents)
            return .success(
                MadeReport(report.json, dropped: report.droppedNodes + report.droppedCalls, leftOut: leftOut))
        }
    }
}
