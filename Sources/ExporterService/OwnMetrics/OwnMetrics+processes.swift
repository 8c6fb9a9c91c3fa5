// SPDX-License-Identifier: Apache-2.0
import Lanes
import Metrics
import Platform
import Settings
import WorkerLink

/// The processes of the proxy, and what the supervisor says of them in `control`.
extension OwnMetrics {
    func addProcess(to builder: inout FamilyBuilder) {
        builder.add(
            "fodc_proxy_build_info", .gauge, "Always 1; the version of the proxy is in its label.",
            [([("version", ProxyVersion.current)], 1)])
        let usage = workers.compactMap { worker in ProcessUsage(pid: worker.status.processID).map { (worker.name, $0) }
        }
        builder.add(
            "fodc_proxy_worker_cpu_seconds_total", .counter, "CPU time that the present process of a worker has used.",
            usage.map { ([("worker", $0.0)], $0.1.userSeconds + $0.1.systemSeconds) })
        builder.add(
            "fodc_proxy_worker_resident_memory_bytes", .gauge,
            "Resident memory of a worker's process; lanes are shared and count in each that maps them.",
            usage.map { ([("worker", $0.0)], Double($0.1.residentBytes)) })
        builder.add(
            "fodc_proxy_worker_up", .gauge, "1 while the worker runs.",
            workers.map { ([("worker", $0.name)], $0.status.state == .running ? 1 : 0) })
        builder.add(
            "fodc_proxy_worker_restarts_total", .counter,
            "Starts of a worker after its first, by why the one before ended.",
            workers.flatMap { worker in
                ControlWorker.Cause.allCases.filter { $0 != .none }.map { cause in
                    ([("cause", "\(cause)"), ("worker", worker.name)], Double(worker.status.restarts(after: cause)))
                }
            })
    }

    /// What the supervisor counts.
    func addControl(to builder: inout FamilyBuilder) {
        func counter(_ counter: ControlCounter) -> Double { Double(control.counter(counter.rawValue)) }
        builder.add(
            "fodc_proxy_worker_state", .gauge, "1 for the state that a worker is in, 0 for the others.",
            workers.flatMap { worker in
                ControlWorker.State.allCases.map { state in
                    ([("state", "\(state)"), ("worker", worker.name)], worker.status.state == state ? 1 : 0)
                }
            })
        builder.add(
            "fodc_proxy_worker_deaths_in_row", .gauge,
            "Deaths of a worker in a row, without a time of good service between them.",
            workers.map { ([("worker", $0.name)], Double($0.status.deathsInRow)) })
        builder.add(
            "fodc_proxy_ingest_workers_wanted", .gauge, "Ingest workers that there are to be.",
            counter(.ingestWorkersWanted))
        builder.add(
            "fodc_proxy_supervisor_starts_total", .counter,
            "Starts of the supervisor since the service was started.", counter(.supervisorStarts))
        builder.add(
            "fodc_proxy_reloads_total", .counter, "Reloads, by how they ended.",
            [
                ([("outcome", "failed")], counter(.reloadsFailed)), ([("outcome", "ok")], counter(.reloadsSucceeded)),
            ])
        builder.add(
            "fodc_proxy_last_reload_timestamp_seconds", .gauge,
            "When the last reload ended, as Unix time; 0 before the first.", counter(.lastReloadAtNanoseconds) / 1e9)
        builder.add(
            "fodc_proxy_lanes_quarantined_total", .counter,
            "Lanes that were replaced by empty ones because they killed the exporter again and again.",
            counter(.lanesQuarantined))
        builder.add(
            "fodc_proxy_agents_held_off_total", .counter,
            "Times that an agent's identity was held off because it killed ingest workers.",
            counter(.identitiesHeldOff))
        builder.add(
            "fodc_proxy_store_descriptors_refused_total", .counter,
            "Descriptors out of systemd's store that were not what their names say.",
            counter(.storeDescriptorsRefused))
        builder.add(
            "fodc_proxy_control_requests_refused_total", .counter,
            "Requests on the control socket that came from another user, or made no sense.",
            counter(.controlRequestsRefused))
    }
}
