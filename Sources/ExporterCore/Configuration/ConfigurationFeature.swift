// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Reports
import RingMessages
import Rings

/// `GET /cluster/config`: the nodes' configurations and where nodes of one role differ. Agents need the extension of
/// `docs/extensions.md` for it.
final class ConfigurationFeature: Feature {
    /// Keys of all nodes that one report is made of: some 300 bytes of memory each while their values are compared.
    private static let maximumKeys = 500_000

    private let report: StreamReport

    init(_ sources: ReportSources) throws {
        report = StreamReport(
            sources, path: "/cluster/config", .configuration, waitNanoseconds: 10_000_000_000,
            on: try sources.makeThread("config", .configurationThread)
        ) { filter throws(ReportFailure) in try Self.makeJob(filter, sources) }
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: report.path, summary: "Configuration of the nodes, and differences between nodes of one role",
                parameters: [.init(name: "agent_id", meaning: "only this agent"), .role, .podName]
            ) { [report] request, responder in
                var filter = AgentFilter(request)
                filter.agentID = AgentFilter.value("agent_id", of: request)
                report.answer(request, filter, responder)
            }
        ]
    }

    private static func makeJob(
        _ filter: AgentFilter, _ sources: ReportSources
    ) throws(ReportFailure) -> StreamReport.Maker.Job {
        let reporters = sources.reporters(filter)
        let answers = try sources.reader.newest(.configuration, of: Set(reporters.keys))
        let byAgent = answers.byAgent
        let leftOut = sources.leftOut(.configuration, of: reporters, known: byAgent.keys)
        let notSupported = podsWithoutStream(sources, reporters, byAgent)
        return StreamReport.Maker.Job(answers: answers.lease) { decoder in
            guard let report = Self.report(byAgent, reporters, notSupported, decoder) else {
                return .failure(.tooManyKeys(limit: maximumKeys))
            }
            return .success(MadeReport(report.json, leftOut: leftOut))
        }
    }

    /// - Returns: nil when there are too many keys.
    private static func report(
        _ answers: [AgentID: AnswerReader.Answer], _ reporters: [AgentID: ReportingAgent], _ notSupported: [String],
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
    private static func podsWithoutStream(
        _ sources: ReportSources, _ reporters: [AgentID: ReportingAgent], _ answers: [AgentID: AnswerReader.Answer]
    ) -> [String] {
        let listed = sources.directory.listed()
        return reporters.compactMap { id, reporter in
            let streams = listed[id]?.owner.entry.openStreams ?? 0
            return answers[id] == nil && streams & AgentStream.configuration.bit == 0 ? reporter.podName : nil
        }
    }
}
