// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages

/// The latest values of all agents: `/metrics`, the collections behind it, and the samples that come.
final class MetricsFeature: Feature {
    /// Of latest values, for everything that shows them.
    let collections: Collections
    let selection: SampleSelection
    private let endpoint: MetricsEndpoint
    let metrics: [any MetricSource]

    init(_ context: FeatureContext) {
        let core = context.core
        collections = Collections(
            core.collecting,
            connected: ConnectedAgents(directory: core.directory, ingestEndpoints: core.ingestEndpoints))
        selection = SampleSelection(
            directory: core.directory, workers: core.workers,
            graceNanoseconds: UInt64(clamping: core.launch.settings.staleGrace.wholeNanoseconds))
        endpoint = MetricsEndpoint(
            collections: collections, selection: selection, partial: context.partial, loop: core.loop,
            registry: context.registry
        ) { [unowned core] in core.yieldToEventLoop() }
        metrics = [collections, endpoint, SampleMetrics(ingest: IngestTotals(core.ingestEndpoints))]
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: MetricsEndpoint.path, summary: "Latest values of all agents, for Prometheus",
                parameters: [.role, .podName], isReserved: true, handle: endpoint.handle)
        ]
    }

    var records: [RecordHandler] {
        [
            RecordHandler(.roundDone, as: CollectionOutcome.self) { [unowned self] header, outcome, worker in
                collections.roundEnded(number: header.number, outcome, worker: worker)
            }
        ]
    }

    var isAwaitingAgents: Bool { collections.underWay > 0 }

    func ringsWereRead() { collections.didReadRings() }
    func workerStoppedAnswering(_ worker: Int) { collections.workerLost(worker) }
    func endAll() { collections.endAll() }
}
