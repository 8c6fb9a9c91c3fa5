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

    private typealias Outcome = Result<(report: TopologyReport, leftOut: Int), ReportFailure>

    private let sources: ReportSources
    private let decoded = DecodedAnswers<Banyandb_Fodc_V1_StreamClusterTopologyRequest>()
    private let shared = SharedReports<Outcome>()

    init(sources: ReportSources) {
        self.sources = sources
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportAnswers.respondHead(to: responder) }
        let target = AnswerCollections.Target(stream: .topology, agents: nil)
        sources.collections.collect(target, waitNanoseconds: Self.waitNanoseconds) { [self] result in
            if let failure = result.failure { return sources.refuse(failure, .topology, to: responder) }
            shared.report(ofBatch: result.batch) {
                makeReport($0)
            } then: { outcome in
                switch outcome {
                case .success(let (report, leftOut)):
                    self.sources.respond(report.json, .topology, result, leftOut: leftOut, to: responder)
                case .failure(let error): self.sources.refuse(error, .topology, to: responder)
                }
            }
        }
    }

    private func makeReport(_ done: @escaping (Outcome) -> Void) {
        let reporters = sources.reporters()
        let answers: [AgentID: AnswerReader.Answer]
        do throws(ReportFailure) {
            answers = try sources.reader.newest(.topology, of: Set(reporters.keys))
        } catch {
            return done(.failure(error))
        }
        let leftOut = sources.leftOut(.topology, of: reporters, known: Set(answers.keys))
        let directory = sources.directory
        let agents = directory.listed().values.compactMap { listed in
            listed.home.identity.map {
                TopologyReport.RegisteredAgent(
                    podName: $0.identity.podName, isOnline: listed.home.entry.status == .online,
                    lastHeartbeatNanoseconds: directory.lastHeartbeatNanoseconds(of: listed))
            }
        }
        sources.threads[.topology].run { [decoded] decoder in
            let views = decoded.messages(of: answers, decoder).map {
                TopologyReport.View(message: $0.message, receivedAtNanoseconds: $0.answer.receivedAtNanoseconds)
            }
            return TopologyReport(views: views, agents: agents)
        } then: { [sources] report in
            sources.noteDropped(report.droppedNodes + report.droppedCalls, .topology)
            done(.success((report, leftOut)))
        }
    }
}
