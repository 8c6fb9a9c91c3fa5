// SPDX-License-Identifier: Apache-2.0

/// The registry: `/cluster`, and metrics of agents, registrations and connections.
final class ClusterFeature: Feature {
    private let endpoint: ClusterEndpoint
    let metrics: [any MetricSource]

    init(_ context: FeatureContext, _ sources: ReportSources) throws {
        let core = context.core
        endpoint = try ClusterEndpoint(sources)
        let ingest = IngestTotals(core.ingestEndpoints)
        metrics = [
            RegistryMetrics(directory: core.directory, maximumAgents: core.launch.settings.maxAgents),
            RegistrationMetrics(ingest: ingest), ConnectionMetrics(ingest: ingest),
        ]
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: ClusterEndpoint.path, summary: "Agents in the registry: streams, addresses, last heartbeats",
                parameters: [
                    .role, .podName,
                    .init(name: "status", meaning: "online or unconnected"),
                    .init(name: "label.KEY", meaning: "only agents whose label KEY has this value"),
                ], handle: endpoint.handle)
        ]
    }
}
