// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import Lanes
import Reports

/// `GET /diagnostics`: crash records of the listed agents, those that they have sent before among them.
final class DiagnosticsFeature: Feature {
    /// Ingest ends the collection when all is quiet, and at the latest by itself at this time.
    private static let waitNanoseconds: UInt64 = 2_000_000_000

    private let report: StreamReport

    init(_ sources: ReportSources) throws {
        report = StreamReport(
            sources, path: "/diagnostics", .crashDiagnostics, waitNanoseconds: Self.waitNanoseconds,
            on: try sources.makeThread("diagnos", .diagnosticsThread)
        ) { filter throws(ReportFailure) in try Self.makeJob(filter, sources) }
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: report.path, summary: "Crash records of all agents, newest first", parameters: [.role, .podName]
            ) { [report] in report.answer($0, AgentFilter($0), $1) }
        ]
    }

    private static func makeJob(
        _ filter: AgentFilter, _ sources: ReportSources
    ) throws(ReportFailure) -> StreamReport.Maker.Job {
        let reporters = sources.reporters(filter)
        let answers = try sources.reader.all(.crashRecord, of: Set(reporters.keys))
        let byAgent = answers.byAgent
        return StreamReport.Maker.Job(answers: answers.lease) { decoder in
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
