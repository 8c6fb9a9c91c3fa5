// SPDX-License-Identifier: Apache-2.0

/// Health of the proxy: `/health`, the probes, metrics of its processes.
final class HealthFeature: Feature {
    private let health: HealthEndpoint
    private let probes: ProbeEndpoints
    private let proxy: ProxyStateEndpoint
    let metrics: [any MetricSource]

    init(_ context: FeatureContext) {
        let core = context.core
        health = HealthEndpoint(
            directory: core.directory, control: core.control, generation: core.launch.generation,
            ingestEndpoints: core.ingestEndpoints)
        probes = ProbeEndpoints(control: core.control, ingestEndpoints: core.ingestEndpoints) { [unowned core] in
            core.isDraining
        }
        let workers = { [health] in health.workers }
        let processes = ProcessMetrics(
            revision: context.revision, control: core.control, ingestEndpoints: core.ingestEndpoints, workers: workers)
        proxy = ProxyStateEndpoint(context, health, processes)
        metrics = [
            processes,
            SupervisorMetrics(control: core.control, workers: workers),
        ]
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                path: "/health", summary: "State of the proxy, its workers and agents", isReserved: true,
                withoutCredentials: health.handleStatusAlone, handle: health.handle),
            Endpoint(
                path: "/-/healthy", summary: "Liveness probe: 200 while the proxy answers", isReserved: true,
                handle: probes.healthy),
            Endpoint(
                path: "/-/ready", summary: "Readiness probe: 200 while it accepts agents and scrapes, else 503",
                isReserved: true, handle: probes.ready),
            Endpoint(
                path: ProxyStateEndpoint.path,
                summary: "The proxy itself: processes, rings, reloads, limits that were reached",
                handle: proxy.handle),
        ]
    }

    func ringsWereRead() { health.counts.invalidate() }
}
