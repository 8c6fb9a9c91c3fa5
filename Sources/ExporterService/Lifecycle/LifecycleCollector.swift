// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import Lanes
import Logging
import NIOCore
import Platform
import Reports

/// Collects what `/cluster/lifecycle` shows: asks everybody, reads the schema registry meanwhile, and judges. One
/// collection at a time, which all who want one share: each is one round of the schema check.
final class LifecycleCollector {
    typealias Outcome = Result<Collected, ReportFailure>

    struct Collected {
        var json: [UInt8]
        var result: AnswerResult
        /// Agents that were asked and are not in it; it says so, too.
        var leftOut: Int
    }

    /// For an agent to answer; the collection as a whole is bounded by this, and by the reads of the registry.
    static let waitNanoseconds: UInt64 = 50_000_000_000
    /// For all of it.
    static let longestWait = TimeAmount.seconds(100)

    private let sources: ReportSources
    private let state: ExporterState
    private let loop: any EventLoop
    private let logger: Logger
    private(set) var consistency: SchemaConsistency
    private let decoded = DecodedAnswers<Banyandb_Fodc_V1_StreamLifecycleRequest>()
    private var waiting: [(Outcome) -> Void] = []
    private var number = 0
    private var registry: RegistryOutcome?
    private var result: AnswerResult?
    private(set) var collected: UInt64 = 0

    init(sources: ReportSources, state: ExporterState, loop: any EventLoop, logger: Logger) {
        self.sources = sources
        self.state = state
        self.loop = loop
        self.logger = logger
        let kept = state.schema.flatMap { SchemaConsistency(encoded: $0.span.bytes) }
        if state.schema != nil, kept == nil { logger.error("what was kept of the schema check cannot be read") }
        consistency = kept ?? SchemaConsistency()
        state.onNewerSchema = { [weak self] bytes in
            // An exporter that was still judging when this one began; once this one has judged its own counts.
            guard let self, collected == 0, let newer = SchemaConsistency(encoded: bytes.span.bytes) else { return }
            consistency = newer
        }
    }

    /// Calls `done` once, with the JSON of a collection that ends after this call.
    func collect(_ done: @escaping (Outcome) -> Void) {
        waiting.append(done)
        guard waiting.count == 1 else { return }
        number += 1
        let current = number
        loop.assumeIsolated().scheduleTask(in: Self.longestWait) { [weak self] in
            guard let self, number == current, !waiting.isEmpty else { return }
            registry = registry ?? .failed(reasons: ["no answer in time"])
            result = result ?? AnswerResult()
            judgeIfComplete(current)
        }
        RegistryRead.begin(sources) { [self] outcome in
            guard number == current, registry == nil else { return }
            registry = outcome
            judgeIfComplete(current)
        }
        let target = AnswerCollections.Target(stream: .lifecycle, agents: nil)
        sources.collections.collect(target, waitNanoseconds: Self.waitNanoseconds) { [self] outcome in
            guard number == current, result == nil else { return }
            result = outcome
            judgeIfComplete(current)
        }
    }

    private func judgeIfComplete(_ current: Int) {
        guard let registry, let result else { return }
        // What comes from now on belongs to the next collection.
        number += 1
        // Agents of a worker that was not asked would be missing in the report, and in the judgement on their schemas.
        if let failure = result.failure { return finish(.failure(failure)) }
        let reporters = sources.reporters()
        let answers: [AgentID: AnswerReader.Answer]
        do throws(ReportFailure) {
            answers = try sources.reader.newest(.lifecycle, of: result.answered)
        } catch {
            return finish(.failure(error))
        }
        let attendance = LifecycleReport.Attendance(
            registered: reporters.count, requested: result.requested.count, responded: answers.count)
        let before = consistency
        sources.threads[.lifecycle].run { [decoded] decoder in
            let messages = decoded.messages(of: answers, decoder).compactMap { agent, message, answer in
                reporters[agent].map {
                    LifecycleReport.Answer(
                        reporter: $0, message: message, receivedAtNanoseconds: answer.receivedAtNanoseconds)
                }
            }
            return Self.judge(messages, attendance, registry, before)
        } then: { [self] judged in
            sources.noteDropped(judged.dropped, .lifecycle)
            collected += 1
            if let after = judged.consistency {
                consistency = after
                state.saveSchema(after.encoded)
            }
            finish(
                .success(
                    Collected(
                        json: judged.json, result: result, leftOut: attendance.requested - attendance.responded)))
        }
    }

    private func finish(_ outcome: Outcome) {
        let waiting = waiting
        self.waiting = []
        registry = nil
        result = nil
        for done in waiting { done(outcome) }
    }

    private struct Judged: Sendable {
        var json: [UInt8]
        var dropped: Int
        /// `nil`: nothing could be judged, and what was known stays.
        var consistency: SchemaConsistency?
    }

    private static func judge(
        _ messages: [LifecycleReport.Answer], _ attendance: LifecycleReport.Attendance, _ registry: RegistryOutcome,
        _ before: SchemaConsistency
    ) -> Judged {
        var report = LifecycleReport(answers: messages, attendance: attendance)
        var consistency = before
        // Without a single answer nothing is known, neither that a disagreement goes on nor that it is gone.
        let isJudged = attendance.responded > 0 || attendance.requested == 0
        if isJudged { report.judge(by: &consistency, registry: registry) }
        return Judged(
            json: report.json, dropped: report.droppedGroups + report.droppedFingerprints,
            consistency: isJudged ? consistency : nil)
    }
}
