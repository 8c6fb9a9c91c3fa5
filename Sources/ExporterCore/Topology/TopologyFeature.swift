// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports
import RingMessages
import Rings

/// `GET /cluster/topology`: the agents' views of the cluster as one. Of an agent that does not answer its last one counts,
/// as long as it is listed.
final class TopologyFeature: Feature {
    private let report: StreamReport

    init(_ sources: ReportSources) throws {
        let decoded = DecodedAnswers<Banyandb_Fodc_V1_StreamClusterTopologyRequest>()
        report = StreamReport(
            sources, path: "/cluster/topology", .topology, waitNanoseconds: 10_000_000_000,
            on: try sources.makeThread("topology", .topologyThread)
        ) { _ throws(ReportFailure) in try Self.makeJob(sources, decoded) }
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(path: report.path, summary: "Nodes of the cluster and the calls between them") {
                [report] in report.answer($0, AgentFilter(), $1)
            }
        ]
    }

    private static func makeJob(
        _ sources: ReportSources, _ decoded: DecodedAnswers<Banyandb_Fodc_V1_StreamClusterTopologyRequest>
    ) throws(ReportFailure) -> StreamReport.Maker.Job {
        let reporters = sources.reporters()
        let answers = try sources.reader.newest(.topology, of: Set(reporters.keys))
        let (byAgent, leftOut) = (
            answers.byAgent, sources.leftOut(.topology, of: reporters, known: answers.byAgent.keys)
        )
        let directory = sources.directory
        let agents = directory.listed().values.compactMap { listed in
            listed.owner.identity.map {
                TopologyReport.RegisteredAgent(
                    podName: $0.identity.podName, isOnline: listed.owner.entry.status == .online,
                    lastHeartbeatNanoseconds: directory.lastHeartbeatNanoseconds(of: listed))
            }
        }
        return StreamReport.Maker.Job(answers: answers.lease) { decoder in
            let views = decoded.messages(of: byAgent, decoder).map {
                TopologyReport.View(message: $0.message, receivedAtNanoseconds: $0.answer.receivedAtNanoseconds)
            }
            let report = TopologyReport(views: views, agents: agents)
            return .success(
                MadeReport(report.json, dropped: report.droppedNodes + report.droppedCalls, leftOut: leftOut))
        }
    }
}
