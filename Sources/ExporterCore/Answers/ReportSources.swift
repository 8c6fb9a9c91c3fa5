// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import Platform
import Reports
import RingMessages
import Rings

/// The sources of every report on agents.
final class ReportSources {
    let directory: AgentDirectory
    let collections: AnswerCollections
    let reader: AnswerReader
    let budget: ReportBudget
    private let loop: any EventLoop
    private let marker: (ExporterMarker) -> InFlightRecord
    private let deliveries: DeliveryQueue
    private let partial: PartialAnswers
    /// Records in answers that had no key, by stream, since this process began.
    private(set) var droppedRecords: [AgentStream: UInt64] = [:]
    /// Requests that were refused because of what all reports take.
    private var refused: UInt64 = 0

    /// - Parameter marker: of each place where a thread says what it reads.
    init(
        directory: AgentDirectory, collections: AnswerCollections, reader: AnswerReader, budget: ReportBudget,
        deliveries: DeliveryQueue, partial: PartialAnswers, loop: any EventLoop,
        marker: @escaping (ExporterMarker) -> InFlightRecord
    ) {
        self.directory = directory
        self.collections = collections
        self.reader = reader
        self.budget = budget
        self.deliveries = deliveries
        self.partial = partial
        self.loop = loop
        self.marker = marker
    }

    // MARK: Making

    /// A thread for one kind of report.
    /// - Parameter name: short enough for a thread's name, with what is before it.
    func makeThread(_ name: String, _ place: ExporterMarker) throws(SystemError) -> ReportThread {
        try ReportThread(name: "report-\(name)", loop: loop, marker: marker(place))
    }

    func noteDropped(_ count: Int, _ stream: AgentStream) {
        if count > 0 { droppedRecords[stream, default: 0] += UInt64(count) }
    }

    /// The maker of the reports of one kind.
    /// - Parameter stream: whose records those are that have no key.
    func maker<Question: Hashable>(
        _ thread: ReportThread, _ stream: AgentStream,
        _ prepare: @escaping (Question) throws(ReportFailure) -> ReportMaker<Question, MadeReport, FinishedReport>.Job
    ) -> ReportMaker<Question, MadeReport, FinishedReport> {
        maker(thread, prepare) { [unowned self] made throws(ReportFailure) in
            noteDropped(made.dropped, stream)
            return try FinishedReport(made, budget)
        }
    }

    /// The maker of something else that needs the answers of agents.
    func maker<Question: Hashable, Product: Sendable, Report>(
        _ thread: ReportThread,
        _ prepare: @escaping (Question) throws(ReportFailure) -> ReportMaker<Question, Product, Report>.Job,
        _ finish: @escaping (Product) throws(ReportFailure) -> Report
    ) -> ReportMaker<Question, Product, Report> {
        ReportMaker(thread: thread, deliveries: deliveries, prepare: prepare, finish: finish)
    }

    // MARK: What is not whole

    /// Answers of this path may be not whole, each kind counted from 0.
    func expectPartialAnswers(of path: String) {
        for cause in ReportFailure.causes { partial.expect(path, cause, .refused) }
        for cause in CollectionResult.Interruption.allCases { partial.expect(path, cause.rawValue, .lastKnown) }
        partial.expect(path, SampleSelection.noAnswer, .leftOut)
    }

    /// Answers of this path need the black box, too.
    func expectStoreTrouble(of path: String, _ causes: [String], _ outcome: PartialAnswers.Outcome) {
        for cause in causes { partial.expect(path, cause, outcome) }
    }

    func refuse(_ failure: ReportFailure, _ path: String, to responder: HTTPResponder) {
        guard !responder.isClosed else { return }
        if failure.cause == ReportFailure.tooManyBytes { refused += 1 }
        partial.refuse(
            path, failure.cause, failure.text, retryAfterSeconds: failure.retryAfterSeconds, to: responder)
    }

    /// Sends a client the report, or the reason for its absence.
    /// - Parameter result: of the collection that the client waited for.
    func respond(
        _ outcome: Result<FinishedReport, ReportFailure>, _ path: String, _ result: AnswerResult = AnswerResult(),
        to responder: HTTPResponder
    ) {
        guard !responder.isClosed else { return }
        let report: FinishedReport
        switch outcome {
        case .failure(let failure): return refuse(failure, path, to: responder)
        case .success(let finished): report = finished
        }
        for cause in result.interruptions { partial.add(path, cause.rawValue, .lastKnown) }
        if report.leftOut > 0 { partial.add(path, SampleSelection.noAnswer, .leftOut) }
        report.stored.count(path, in: partial)
        responder.holdsReport = report.isHeld
        responder.respond(
            status: 200, contentType: Self.contentType,
            headers: Self.fields + PartialAnswers.headers(leftOut: report.leftOut) + report.stored.headers,
            body: report.body,
            compression: .whenAccepted)
    }

    /// Sends a client a report that was made elsewhere. It counts as one until it is taken.
    func respond(_ made: MadeReport, _ path: String, to responder: HTTPResponder) {
        do throws(ReportFailure) {
            respond(.success(try FinishedReport(made, budget)), path, to: responder)
        } catch {
            refuse(error, path, to: responder)
        }
    }

    private static let contentType = "application/json"
    private static let fields = [("Cache-Control", "no-store")]

    /// To HEAD: what the answer's head would be, without asking any agent for it. Length and compression depend on what
    /// agents say.
    static func respondHead(to responder: HTTPResponder) {
        responder.respond(
            status: 200, contentType: contentType, headers: fields, body: .unmade, compression: .declined)
    }

    // MARK: Agents

    /// How many agents have the stream, and nothing is known of what they would say.
    func leftOut(_ stream: AgentStream, of reporters: [AgentID: ReportingAgent], known: some Collection<AgentID>) -> Int
    {
        let (listed, known) = (directory.listed(), Set(known))
        return reporters.keys.lazy.filter { !known.contains($0) && listed[$0]?.worker(having: stream) != nil }.count
    }

    /// The registry, read anew.
    func reporters(_ filter: AgentFilter? = nil) -> [AgentID: ReportingAgent] {
        directory.refresh(nowNanoseconds: MonotonicClock.nowNanoseconds())
        return directory.reporters(filter)
    }

    /// Asks those that a filter lets through, or everybody. With a filter that lets nobody through nobody is asked.
    func collect(
        _ stream: AgentStream, _ filter: AgentFilter, waitNanoseconds: UInt64,
        _ served: @escaping (AnswerResult) -> Void
    ) {
        var target = AnswerCollections.Target(stream: stream, agents: nil)
        if !filter.isEmpty {
            let ids = reporters(filter).keys.sorted { ($0.high, $0.low) < ($1.high, $1.low) }
            guard !ids.isEmpty else { return served(AnswerResult()) }
            target.agents = ids
        }
        collections.collect(target, waitNanoseconds: waitNanoseconds, served)
    }
}

extension ReportSources: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_report_bytes", .gauge, "Bytes of reports that clients have not read yet.",
            Double(budget.heldBytes))
        families.add(
            "fodc_proxy_reports_refused_total", .counter,
            "Reports refused because too many bytes of other reports were waiting.", Double(refused))
    }
}
