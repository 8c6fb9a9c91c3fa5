// SPDX-License-Identifier: Apache-2.0

/// Health of the proxy: `/health`, the probes, metrics of its processes.
final class HealthFeature: Feature {
    private let health: HealthEndpoint
    private let probes: ProbeEndpoints
    let metrics: [any MetricSource]

    init(_ context: FeatureContext) {
        let core = context.core
        health = HealthEndpoint(
            directory: core.directory, control: core.control, generation: core.launch.generation, peers: core.peers)
        probes = ProbeEndpoints(control: core.control, peers: core.peers) { [unowned core] in core.isDraining }
        let workers = { [health] in health.workers }
        metrics = [
            ProcessMetrics(
                revision: context.revision, control: core.control, peers: core.peers, workers: workers),
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
        ]
    }

    func ringsWereRead() { health.counts.invalidate() }
}
