// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import HTTPServer
import Reports

/// `GET /diagnostics`: crash records of the listed agents, those that they have sent before among them.
final class DiagnosticsEndpoint {
    /// Ingest ends the collection when all is quiet, and at the latest by itself at this time.
    static let waitNanoseconds: UInt64 = 2_000_000_000

    private let sources: ReportSources

    init(sources: ReportSources) {
        self.sources = sources
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if request.isHead { return ReportAnswers.respondHead(to: responder) }
        let filter = AgentFilter(request)
        sources.collect(.crashDiagnostics, filter, waitNanoseconds: Self.waitNanoseconds) {
            [sources] reporters, result in
            if let failure = result.failure { return sources.refuse(failure, .diagnostics, to: responder) }
            do throws(ReportFailure) {
                let answers = try sources.reader.all(.crashRecord, of: Set(reporters.keys))
                sources.threads[.diagnostics].run {
                    Self.report(answers.map { (reporters[$0.key], $0.value) }, $0)
                } then: { report in
                    sources.noteDropped(report.droppedRecords, .crashDiagnostics)
                    sources.respond(report.json, .diagnostics, result, to: responder)
                }
            } catch {
                sources.refuse(error, .diagnostics, to: responder)
            }
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
