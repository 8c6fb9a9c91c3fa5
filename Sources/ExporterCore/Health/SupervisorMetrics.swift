// SPDX-License-Identifier: Apache-2.0
import Metrics
import Rings
import WorkerLink

/// Metrics of the workers, and of the supervisor's counters, both out of `control`.
struct SupervisorMetrics: MetricSource {
    let control: WorkerTableReader
    let workers: () -> [(name: String, status: WorkerTableEntry)]

    func addMetrics(to families: inout FamilyBuilder) {
        addWorkers(workers(), to: &families)
        func counter(_ counter: SupervisorCounter) -> Double { Double(control.counter(counter.rawValue)) }
        families.add(
            "fodc_proxy_ingest_workers_wanted", .gauge, "Requested number of ingest workers.",
            counter(.ingestWorkersWanted))
        families.add(
            "fodc_proxy_supervisor_starts_total", .counter,
            "Starts of the supervisor since the service was started.", counter(.supervisorStarts))
        families.add(
            "fodc_proxy_reloads_total", .counter, "Reloads, by outcome.",
            [
                ([("outcome", "failed")], counter(.reloadsFailed)), ([("outcome", "ok")], counter(.reloadsSucceeded)),
            ])
        families.add(
            "fodc_proxy_last_reload_timestamp_seconds", .gauge,
            "Unix time of the end of the last reload; 0 before the first.", counter(.lastReloadAtNanoseconds) / 1e9)
        families.add(
            "fodc_proxy_rings_reset_total", .counter,
            "Rings replaced by empty ones because they were damaged or crashed the exporter repeatedly.",
            counter(.ringsReset))
        families.add(
            "fodc_proxy_agents_quarantined_total", .counter,
            "Quarantines of agents that crashed ingest workers.",
            counter(.quarantinedIdentities))
        families.add(
            "fodc_proxy_store_descriptors_refused_total", .counter,
            "Descriptors from systemd's store that were discarded because they did not match their names.",
            counter(.storeDescriptorsRefused))
        families.add(
            "fodc_proxy_control_requests_refused_total", .counter,
            "Refused requests on the control socket: no permission, or invalid.",
            counter(.controlRequestsRefused))
        families.add(
            "fodc_proxy_sandbox_violations_total", .counter,
            "Workers that were ended because they made a system call which their sandbox does not allow.",
            counter(.sandboxViolations))
    }

    private func addWorkers(
        _ workers: [(name: String, status: WorkerTableEntry)], to families: inout FamilyBuilder
    ) {
        families.add(
            "fodc_proxy_worker_up", .gauge, "1 if the worker is running, else 0.",
            workers.map { ([("worker", $0.name)], $0.status.state == .running ? 1 : 0) })
        families.add(
            "fodc_proxy_worker_restarts_total", .counter,
            "Restarts of a worker, by the cause of the previous process's end.",
            workers.flatMap { worker in
                WorkerTableEntry.Cause.allCases.filter { $0 != .none }.map { cause in
                    ([("cause", cause.name), ("worker", worker.name)], Double(worker.status.restarts(after: cause)))
                }
            })
        families.add(
            "fodc_proxy_worker_state", .gauge, "1 for the state of a worker, 0 for its other states.",
            workers.flatMap { worker in
                WorkerTableEntry.State.allCases.map { state in
                    ([("state", "\(state)"), ("worker", worker.name)], worker.status.state == state ? 1 : 0)
                }
            })
        families.add(
            "fodc_proxy_worker_deaths_in_row", .gauge,
            "Failures of a worker in a row, without a minute of service between them.",
            workers.map { ([("worker", $0.name)], Double($0.status.deathsInRow)) })
    }
}
