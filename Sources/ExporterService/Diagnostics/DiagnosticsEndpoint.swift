// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import HTTPServer
import Lanes
import Reports

/// `GET /diagnostics`: crash records of the listed agents, those that they have sent before among them.
final class DiagnosticsEndpoint {
    /// Ingest ends the collection when all is quiet, and at the latest by itself at this time.
    static let waitNanoseconds: UInt64 = 2_000_000_000

    private typealias Maker = ReportMaker<AgentFilter, MadeReport, FinishedReport>

    private let sources: ReportSources
    private lazy var maker: Maker = sources.maker(.diagnostics, .crashDiagnostics) {
        [unowned self] filter throws(ReportFailure) in try makeJob(filter)
    }

    init(sources: ReportSources) {
        self.sources = sources
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportSources.respondHead(to: responder) }
        let filter = AgentFilter(request)
        sources.collect(.crashDiagnostics, filter, waitNanoseconds: Self.waitNanoseconds) { [self] result in
            if let failure = result.failure { return sources.refuse(failure, .diagnostics, to: responder) }
            maker.report(filter) { [sources] in sources.respond($0, .diagnostics, result, to: responder) }
        }
    }

    private func makeJob(_ filter: AgentFilter) throws(ReportFailure) -> Maker.Job {
        let reporters = sources.reporters(filter)
        let answers = try sources.reader.all(.crashRecord, of: Set(reporters.keys))
        let byAgent = answers.byAgent
        return Maker.Job(answers: answers.lease) { decoder in
            let report = Self.report(byAgent.map { (reporters[$0.key], $0.value) }, decoder)
            return .success(MadeReport(report.json, dropped: report.droppedRecords))
        }
    }

    private static func report(
        _ answers: [(reporter: Reporter?, answers: [AnswerReader.Answer])], _ decoder: AnswerDecoder
    ) -> DiagnosticsReport {
        var records: [DiagnosticsReport.Record] = []
        for (reporter, answers) in answers {
            guard let reporter else { continue }
            for answer in answers {
                let message = decoder.message(Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest.self, of: answer)
                guard let message else { continue }
                records.append(
                    .init(
                        reporter: reporter, message: message, receivedAtNanoseconds: answer.receivedAtNanoseconds))
            }
        }
        return DiagnosticsReport(records: records)
    }
}
