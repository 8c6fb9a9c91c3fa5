// SPDX-License-Identifier: Apache-2.0
import BlackBox
import BlackBoxReports
import Database
import FODCProtocol
import HTTPServer
import Reports
import RingMessages
import Rings

/// `GET /diagnostics`: crash records of the listed agents, those that they have sent before among them.
final class DiagnosticsFeature: Feature {
    /// Ingest ends the collection when all is quiet, and at the latest by itself at this time.
    private static let waitNanoseconds: UInt64 = 2_000_000_000

    private let report: StreamReport
    private let box: BlackBoxAccess?

    init(_ sources: ReportSources, _ box: BlackBoxAccess?) throws {
        self.box = box
        report = StreamReport(
            sources, path: "/diagnostics", .crashDiagnostics, waitNanoseconds: Self.waitNanoseconds,
            on: try sources.makeThread("diagnos", .diagnosticsThread)
        ) { filter throws(ReportFailure) in try Self.makeJob(filter, sources, box?.path) }
        guard box != nil else { return }
        sources.expectStoreTrouble(of: report.path, [StoredLack.damagedCause], .leftOut)
        sources.expectStoreTrouble(of: report.path, [StoredLack.unreadCause], .refused)
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: report.path, summary: "Crash records of all agents, newest first",
                parameters: [.role, .podName, .init(name: "include", meaning: "gone: also of agents that are gone")]
            ) { [unowned self] in answer($0, $1) }
        ]
    }

    private func answer(_ request: HTTPRequest, _ responder: HTTPResponder) {
        var filter = AgentFilter(request)
        switch request.parameter("include") ?? "" {
        case "": break
        case "gone":
            guard box != nil else { return responder.respond(status: 404, text: BlackBoxRefusal.notRecording.text) }
            filter.includesGone = true
        case let other:
            return responder.respond(status: 400, text: "include \(other.quoted()) must be gone")
        }
        report.answer(request, filter, responder)
    }

    private static func makeJob(
        _ filter: AgentFilter, _ sources: ReportSources, _ boxPath: String?
    ) throws(ReportFailure) -> StreamReport.Maker.Job {
        let reporters = sources.reporters(filter)
        let answers = try sources.reader.all(.crashRecord, of: Set(reporters.keys))
        let byAgent = answers.byAgent
        return StreamReport.Maker.Job(answers: answers.lease) { decoder in
            do throws(BlackBoxRefusal) {
                let gone =
                    filter.includesGone ? try Self.goneRecords(filter, boxPath) : (records: [], lack: StoredLack())
                let report = Self.report(byAgent.map { (reporters[$0.key], $0.value) }, gone.records, decoder)
                return .success(MadeReport(report.json, dropped: report.droppedRecords, stored: gone.lack))
            } catch {
                return .failure(.store(error))
            }
        }
    }

    private static func goneRecords(
        _ filter: AgentFilter, _ boxPath: String?
    ) throws(BlackBoxRefusal) -> (records: [DiagnosticsReport.Record], lack: StoredLack) {
        guard let boxPath else { return ([], StoredLack()) }
        let reader = try BlackBoxReader.open(boxPath)
        do throws(DatabaseError) {
            let records = try GoneNodes.crashRecords(reader, where: filter.matches)
            return (records, StoredLack(damagedParts: Int(clamping: reader.damagedCount)))
        } catch {
            throw BlackBoxRefusal(error)
        }
    }

    private static func report(
        _ answers: [(reporter: ReportingAgent?, answers: [AnswerReader.Answer])], _ gone: [DiagnosticsReport.Record],
        _ decoder: AnswerDecoder
    ) -> DiagnosticsReport {
        var records = gone
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
