// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import HTTPServer
import Platform
import Reports
import RingMessages
import Rings

/// `GET /cluster`: the registry as it is, without asking any agent.
final class ClusterEndpoint {
    static let path = "/cluster"

    private typealias Maker = ReportMaker<ClusterFilter, MadeReport, FinishedReport>

    private let sources: ReportSources
    private let thread: ReportThread
    private lazy var maker: Maker = sources.maker(thread, .topology) {
        [unowned self] filter throws(ReportFailure) in try makeJob(filter)
    }

    init(_ sources: ReportSources) throws {
        self.sources = sources
        thread = try sources.makeThread("cluster", .clusterThread)
        sources.expectPartialAnswers(of: Self.path)
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        switch ClusterFilter.parse(request) {
        case .failure(let mistake): return responder.respond(status: 400, text: mistake.text)
        case .success(let filter):
            if request.isHead { return ReportSources.respondHead(to: responder) }
            maker.report(filter) { [sources] in sources.respond($0, Self.path, to: responder) }
        }
    }

    private func makeJob(_ filter: ClusterFilter) throws(ReportFailure) -> Maker.Job {
        let reporters = sources.reporters()
        let nodes = sources.directory.listed().compactMap { node(of: $0.value, reporters[$0.key]) }
            .filter(filter.matches)
        let answers = try sources.reader.newestOfAll(.topology, of: Set(reporters.keys))
        let newest = answers.byAgent.values.first
        let now = WallClock.nowNanoseconds()
        return Maker.Job(answers: answers.lease) { decoder in
            let topology = newest.flatMap {
                decoder.message(Banyandb_Fodc_V1_StreamClusterTopologyRequest.self, of: $0)
            }
            let calls = topology.map {
                TopologyReport(views: [.init(message: $0, receivedAtNanoseconds: 0)], agents: []).callsJSON
            }
            return .success(
                MadeReport(ClusterReport(nodes: nodes, callsJSON: calls, updatedAtNanoseconds: now).json))
        }
    }

    private func node(of listed: AgentDirectory.Listed, _ reporter: ReportingAgent?) -> ClusterReport.Node? {
        guard let reporter, let identity = listed.owner.identity else { return nil }
        let entry = listed.owner.entry
        return ClusterReport.Node(
            reporter: reporter, address: identity.peer, containerNames: identity.identity.containerNames,
            labels: Dictionary(identity.labels.map { ($0.key, $0.value) }) { _, last in last },
            isOnline: entry.status == .online, registeredAtNanoseconds: entry.registeredAtNanoseconds,
            lastHeartbeatNanoseconds: sources.directory.lastHeartbeatNanoseconds(of: listed),
            streams: AgentStream.allCases.filter { listed.openStreams & $0.bit != 0 }.map(\.name),
            ingestWorker: listed.worker, lastSampleAtNanoseconds: listed.lastSampleAtNanoseconds,
            series: Int((listed.newest?.agent.entry ?? entry).seriesCount))
    }
}
