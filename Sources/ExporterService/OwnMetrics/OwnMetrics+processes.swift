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
            "fodc_proxy_build_info", .gauge, "Always 1; version and revision of the proxy are in its labels.",
            [([("revision", revision), ("version", ProxyVersion.current)], 1)])
        addProcesses(to: &builder)
        builder.add(
            "fodc_proxy_worker_up", .gauge, "1 while the worker runs.",
            workers.map { ([("worker", $0.name)], $0.status.state == .running ? 1 : 0) })
        builder.add(
            "fodc_proxy_worker_restarts_total", .counter,
            "Starts of a worker after its first, by why the one before ended.",
            workers.flatMap { worker in
                ControlWorker.Cause.allCases.filter { $0 != .none }.map { cause in
                    ([("cause", cause.name), ("worker", worker.name)], Double(worker.status.restarts(after: cause)))
                }
            })
    }

    /// What each process uses. The names begin with the proxy's own prefix: bare `process_…` would be taken for a node's.
    private func addProcesses(to builder: inout FamilyBuilder) {
        let usage = processes.compactMap { process in ProcessUsage(pid: process.pid).map { (process.name, $0) } }
        func each(_ value: (ProcessUsage) -> Double) -> [(labels: [(String, String)], value: Double)] {
            usage.map { ([("process", $0.0)], value($0.1)) }
        }
        func known(_ value: (ProcessUsage) -> Int?) -> [(labels: [(String, String)], value: Double)] {
            usage.compactMap { name, usage in value(usage).map { ([("process", name)], Double($0)) } }
        }
        builder.add(
            "fodc_proxy_process_cpu_seconds_total", .counter, "User and system CPU time of a process of the proxy.",
            each { $0.userSeconds + $0.systemSeconds })
        builder.add(
            "fodc_proxy_process_resident_memory_bytes", .gauge,
            "Resident memory of a process of the proxy; lanes are shared and count in each that maps them.",
            each { Double($0.residentBytes) })
        builder.add(
            "fodc_proxy_process_virtual_memory_bytes", .gauge, "Address space of a process of the proxy.",
            each { Double($0.virtualBytes) })
        builder.add(
            "fodc_proxy_process_threads", .gauge, "Threads of a process of the proxy.", each { Double($0.threads) })
        builder.add(
            "fodc_proxy_process_open_fds", .gauge, "Open file descriptors of a process of the proxy.",
            known { $0.openDescriptors })
        builder.add(
            "fodc_proxy_process_max_fds", .gauge,
            "File descriptors that a process of the proxy may have open (RLIMIT_NOFILE).",
            known { $0.maximumDescriptors })
        builder.add(
            "fodc_proxy_process_start_time_seconds", .gauge,
            "When a process of the proxy was started, as Unix time.", each { $0.startedAtSeconds })
    }

    /// The supervisor is the parent of this process, and of all workers.
    private var processes: [(name: String, pid: Int32)] {
        [("supervisor", ProcessUsage.parentProcessID)]
            + workers.map { ($0.name, $0.status.processID) }
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
            "Lanes that were replaced by empty ones because they were damaged, or killed the exporter again and again.",
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
