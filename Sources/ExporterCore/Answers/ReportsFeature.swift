// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import RingMessages

/// The base of all reports on agents: questions on the streams other than metrics, their answers, and the bytes that reports
/// may take. It has no endpoint.
final class ReportsFeature: Feature {
    let sources: ReportSources
    private let collections: AnswerCollections
    let metrics: [any MetricSource]

    init(_ context: FeatureContext) {
        let core = context.core
        collections = AnswerCollections(core.collecting, ingestEndpoints: core.ingestEndpoints)
        let budget = ReportBudget(limitBytes: context.budgets.bytes(upTo: ReportBudget.maximumBytes))
        budget.cutSlowestReader = { [unowned web = context.web] in web.server.evictSlowReader(holdsReport: true) }
        sources = ReportSources(
            directory: core.directory, collections: collections,
            reader: AnswerReader(
                ingestEndpoints: core.ingestEndpoints, crashGuard: core.state.crashGuard, budget: budget),
            budget: budget,
            deliveries: core.deliveries, partial: context.partial, loop: core.loop, marker: core.state.marker)
        metrics = [
            StreamMetrics(ingest: IngestTotals(core.ingestEndpoints)) { [sources] in sources.droppedRecords },
            collections,
            sources,
        ]
    }

    var records: [RecordHandler] {
        [
            RecordHandler(.answersDone, as: CollectionOutcome.self) { [unowned self] header, outcome, worker in
                collections.roundEnded(number: header.number, outcome, worker: worker)
            },
            RecordHandler(ofAgent: .schemaRegistry) { [unowned self] header, payload, agent in
                collections.registryArrived(number: header.number, payload, from: agent.entry.id)
                return true
            },
        ]
    }

    func workerStoppedAnswering(_ worker: Int) { collections.workerLost(worker) }
    func endAll() { collections.endAll() }
}
