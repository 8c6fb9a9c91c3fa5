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

    private let sources: ReportSources

    init(sources: ReportSources) {
        self.sources = sources
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportAnswers.respondHead(to: responder) }
        var filter = AgentFilter(request)
        filter.agentID = request.parameter("agent_id").flatMap { $0.isEmpty ? nil : $0.lowercased() }
        sources.collect(.configuration, filter, waitNanoseconds: Self.waitNanoseconds) { [self] reporters, result in
            if let failure = result.failure { return sources.refuse(failure, .configuration, to: responder) }
            do throws(ReportFailure) {
                let answers = try sources.reader.newest(.configuration, of: Set(reporters.keys))
                let leftOut = sources.leftOut(.configuration, of: reporters, known: Set(answers.keys))
                let notSupported = podsWithoutStream(reporters, answers)
                sources.threads[.configuration].run { decoder in
                    Self.report(answers, reporters, notSupported, decoder)
                } then: { report in
                    guard let report else {
                        return self.sources.refuse(
                            .tooManyKeys(limit: Self.maximumKeys), .configuration, to: responder)
                    }
                    self.sources.respond(report.json, .configuration, result, leftOut: leftOut, to: responder)
                }
            } catch {
                sources.refuse(error, .configuration, to: responder)
            }
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
