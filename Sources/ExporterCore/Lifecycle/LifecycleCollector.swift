// SPDX-License-Identifier: Apache-2.0
import Collecting
import FODCProtocol
import Logging
import NIOCore
import Platform
import Reports
import RingMessages
import Rings

/// Collects what `/cluster/lifecycle` shows: asks everybody, reads the schema registry meanwhile, and judges. One
/// collection at a time, which all who want one share: each is one round of the schema check.
final class LifecycleCollector {
    typealias Outcome = Result<Collected, ReportFailure>

    struct Collected {
        var report: FinishedReport
        var result: AnswerResult
    }

    /// The parts that a collection waits for.
    private enum Part {
        case registry, agents
        /// Begins when the other two are there.
        case verdict
    }

    private struct Parts {
        var registry: RegistryOutcome?
        var result: AnswerResult?
        var outcome: Outcome?
    }

    private typealias Engine = CollectionEngine<UInt64, Void, Part, Parts>
    private typealias Maker = ReportMaker<UInt64, Evaluation, Evaluation>

    /// For an agent to answer; the collection as a whole is bounded by this, and by the reads of the registry.
    static let waitNanoseconds: UInt64 = 50_000_000_000
    /// For registry and agents.
    static let longestWait = TimeAmount.seconds(100)

    /// Larger reports are made anew each time, rather than kept in memory.
    private static let keptReportBytes = 4 << 20

    private let sources: ReportSources
    private let thread: ReportThread
    private let state: ExporterState
    private let loop: any EventLoop
    private var consistency: SchemaConsistency
    private let decoded = DecodedAnswers<Banyandb_Fodc_V1_StreamLifecycleRequest>()
    private let lastEvaluation = LastOutcome<EvaluationInputs, Evaluation>()
    private let lastRegistry = RegistryRead.LastContents()
    private var engine = Engine()
    private var waiting: [Engine.Ticket: (Outcome) -> Void] = [:]
    private var lastNumber: UInt64 = 0
    private var collected: UInt64 = 0
    private lazy var maker: Maker = sources.maker(thread) {
        [unowned self] number throws(ReportFailure) in
        try makeJob(number)
    } _: {
        $0
    }

    init(
        sources: ReportSources, thread: ReportThread, state: ExporterState, loop: any EventLoop, logger: Logger
    ) {
        self.sources = sources
        self.thread = thread
        self.state = state
        self.loop = loop
        let kept = state.schema.flatMap { SchemaConsistency(encoded: $0.span.bytes) }
        if state.schema != nil, kept == nil {
            logger.error("cannot read the stored state of the schema check: starting it anew")
        }
        consistency = kept ?? SchemaConsistency()
        state.onNewerSchema = { [weak self] bytes in
            // An exporter that was still judging when this one began; once this one has judged its own counts.
            guard let self, collected == 0, let newer = SchemaConsistency(encoded: bytes.span.bytes) else { return }
            consistency = newer
        }
    }

    /// Calls `done` once, with the report of a collection that ends after this call.
    func collect(_ done: @escaping (Outcome) -> Void) {
        if let underWay = engine.all.first(where: { _ in true }) {
            waiting[engine.join(underWay.id)] = done
            return
        }
        lastNumber += 1
        let number = lastNumber
        let now = MonotonicClock.nowNanoseconds()
        engine.begin(number, (), Parts(), nowNanoseconds: now)
        waiting[engine.join(number)] = done
        let deadline = now + UInt64(Self.longestWait.nanoseconds)
        serve(engine.ask([.registry, .agents, .verdict], in: number, deadlineNanoseconds: deadline))
        loop.assumeIsolated().scheduleTask(in: Self.longestWait) { [weak self] in
            self?.end(.registry, of: number) { $0.registry = .failed(reasons: ["no answer in time"]) }
            self?.end(.agents, of: number) { $0.result = AnswerResult() }
        }
        RegistryRead.begin(sources, thread, lastRegistry) { [self] outcome in
            end(.registry, of: number) { $0.registry = outcome }
        }
        sources.collect(.lifecycle, AgentFilter(), waitNanoseconds: Self.waitNanoseconds) { [self] result in
            end(.agents, of: number) { $0.result = result }
        }
    }

    private func end(_ part: Part, of number: UInt64, _ change: (inout Parts) -> Void) {
        guard engine[number]?.pending.contains(part) == true else { return }
        serve(engine.done(part, in: number, change))
        guard part != .verdict, engine[number]?.pending == [.verdict] else { return }
        judge(number)
    }

    private func serve(_ served: Engine.Served?) {
        guard let served, let outcome = served.entry.outcome.outcome else { return }
        for ticket in served.tickets { waiting.removeValue(forKey: ticket)?(outcome) }
    }

    // MARK: The verdict

    private func judge(_ number: UInt64) {
        guard let result = engine[number]?.outcome.result else { return }
        // Agents of a worker that was not asked would be missing in the report, and in the judgement on their schemas.
        if let failure = result.failure { return end(.verdict, of: number) { $0.outcome = .failure(failure) } }
        maker.report(number) { [self] outcome in
            let collected = outcome.flatMap(finished).map { Collected(report: $0, result: result) }
            end(.verdict, of: number) { $0.outcome = collected }
        }
    }

    private func finished(_ judged: Evaluation) -> Result<FinishedReport, ReportFailure> {
        sources.noteDropped(judged.report.dropped, .lifecycle)
        collected += 1
        if let after = judged.consistency {
            consistency = after
            state.saveSchema(after.encoded)
        }
        do throws(ReportFailure) {
            return .success(try FinishedReport(judged.report, sources.budget))
        } catch {
            return .failure(error)
        }
    }

    private func makeJob(_ number: UInt64) throws(ReportFailure) -> Maker.Job {
        guard let parts = engine[number]?.outcome, let registry = parts.registry, let result = parts.result else {
            preconditionFailure("a verdict needs both parts")
        }
        let reporters = sources.reporters()
        let answers = try sources.reader.newest(.lifecycle, of: result.answered)
        let byAgent = answers.byAgent
        let responseCounts = LifecycleReport.ResponseCounts(
            registered: reporters.count, requested: result.requested.count, responded: byAgent.count)
        let before = consistency
        return Maker.Job(answers: answers.lease) { [decoded, lastEvaluation] decoder in
            let messages = decoded.messages(of: byAgent, decoder)
            var inputs = EvaluationInputs(
                reporters: reporters, responseCounts: responseCounts, registry: registry, consistency: before)
            for message in messages { inputs.contents[message.agent] = message.fingerprint }
            let evaluation = lastEvaluation.outcome(
                of: inputs, isKept: { $0.report.bytes.readableBytes <= Self.keptReportBytes }
            ) {
                let answers = messages.compactMap { decoded in
                    reporters[decoded.agent].map {
                        LifecycleReport.Answer(
                            reporter: $0, message: decoded.message,
                            receivedAtNanoseconds: decoded.answer.receivedAtNanoseconds)
                    }
                }
                return Self.judge(answers, responseCounts, registry, before)
            }
            return .success(evaluation)
        }
    }

    /// All that an evaluation depends on, but for the order in which the answers came: of two that contradict each other either
    /// may stay, as long as both agents say the same.
    private struct EvaluationInputs: Equatable, Sendable {
        var contents: [AgentID: ContentFingerprint] = [:]
        var reporters: [AgentID: ReportingAgent]
        var responseCounts: LifecycleReport.ResponseCounts
        var registry: RegistryOutcome
        var consistency: SchemaConsistency
    }

    private struct Evaluation: Sendable {
        var report: MadeReport
        /// `nil`: nothing could be judged, and what was known stays.
        var consistency: SchemaConsistency?
    }

    private static func judge(
        _ messages: [LifecycleReport.Answer], _ responseCounts: LifecycleReport.ResponseCounts,
        _ registry: RegistryOutcome,
        _ before: SchemaConsistency
    ) -> Evaluation {
        var report = LifecycleReport(answers: messages, responseCounts: responseCounts)
        var consistency = before
        // Without a single answer nothing is known, neither that a disagreement goes on nor that it is gone.
        let isJudged = responseCounts.responded > 0 || responseCounts.requested == 0
        if isJudged { report.judge(by: &consistency, registry: registry) }
        return Evaluation(
            report: MadeReport(
                report.json, dropped: report.droppedGroups + report.droppedFingerprints,
                leftOut: responseCounts.requested - responseCounts.responded),
            consistency: isJudged ? consistency : nil)
    }
}

extension LifecycleCollector: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_schema_collections_total", .counter,
            "Collections of lifecycle reports that ended, by request or by --lifecycle-interval.", Double(collected))
        families.add(
            "fodc_proxy_schema_counters_dropped_total", .counter,
            "Schema disagreements that are not reported because there was no room to count them.",
            Double(consistency.droppedCounters))
        families.add(
            "banyandb_fodc_schema_consistency_status", .gauge,
            "Consistency of the nodes' schema with the registry, by group: 1 consistent, 2 inconsistent, 3 unknown.",
            consistency.gaugeValues.map { ([("group", $0.group)], Double($0.value)) })
    }
}
