// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import HTTPServer
import Lanes
import Reports

/// `GET /cluster/config`: the nodes' configurations and where nodes of one role differ. Agents need the extension of
/// `docs/extensions.md` for it.
final class ConfigurationEndpoint {
    static let waitNanoseconds: UInt64 = 10_000_000_000

    /// Keys of all nodes that one report is made of: some 300 bytes of memory each while their values are compared.
    static let maximumKeys = 500_000

    private typealias Maker = ReportMaker<AgentFilter, MadeReport, FinishedReport>

    private let sources: ReportSources
    private lazy var maker: Maker = sources.maker(.configuration, .configuration) {
        [unowned self] filter throws(ReportFailure) in try makeJob(filter)
    }

    init(sources: ReportSources) {
        self.sources = sources
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportSources.respondHead(to: responder) }
        var filter = AgentFilter(request)
        filter.agentID = AgentFilter.value("agent_id", of: request)
        sources.collect(.configuration, filter, waitNanoseconds: Self.waitNanoseconds) { [self, filter] result in
            if let failure = result.failure { return sources.refuse(failure, .configuration, to: responder) }
            maker.report(filter) { [sources] in sources.respond($0, .configuration, result, to: responder) }
        }
    }

    private func makeJob(_ filter: AgentFilter) throws(ReportFailure) -> Maker.Job {
        let reporters = sources.reporters(filter)
        let answers = try sources.reader.newest(.configuration, of: Set(reporters.keys))
        let byAgent = answers.byAgent
        let leftOut = sources.leftOut(.configuration, of: reporters, known: byAgent.keys)
        let notSupported = podsWithoutStream(reporters, byAgent)
        return Maker.Job(answers: answers.lease) { decoder in
            guard let report = Self.report(byAgent, reporters, notSupported, decoder) else {
                return .failure(.tooManyKeys(limit: Self.maximumKeys))
            }
            return .success(MadeReport(report.json, leftOut: leftOut))
        }
    }

    /// - Returns: nil when there are too many keys.
    private static func report(
        _ answers: [AgentID: AnswerReader.Answer], _ reporters: [AgentID: Reporter], _ notSupported: [String],
        _ decoder: AnswerDecoder
    ) -> ConfigurationReport? {
        var nodes: [ConfigurationReport.Node] = []
        var keys = 0
        for (id, answer) in answers {
            guard let reporter = reporters[id],
                let configuration = decoder.message(Fodc_Proxy_V1_NodeConfiguration.self, of: answer)
            else { continue }
            keys += configuration.startupParameters.count + configuration.runtimeConfiguration.count
            guard keys <= maximumKeys else { return nil }
            nodes.append(ConfigurationReport.Node(reporter: reporter, configuration: configuration))
        }
        return ConfigurationReport(nodes: nodes, notSupported: notSupported)
    }

    /// Those of which nothing is known and that have not opened the stream.
    private func podsWithoutStream(
        _ reporters: [AgentID: Reporter], _ answers: [AgentID: AnswerReader.Answer]
    ) -> [String] {
        let listed = sources.directory.listed()
        return reporters.compactMap { id, reporter in
            let streams = listed[id]?.home.entry.openStreams ?? 0
            return answers[id] == nil && streams & AgentStream.configuration.bit == 0 ? reporter.podName : nil
        }
    }
}
