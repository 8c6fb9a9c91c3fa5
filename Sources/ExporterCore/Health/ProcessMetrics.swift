// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import RingMessages
import Rings
import Settings
import WorkerLink

/// Metrics of the build and of each process's resources. The names begin with the proxy's own prefix: bare `process_…` would be
/// taken for a node's.
struct ProcessMetrics: MetricSource {
    /// The commit of this build.
    let revision: String
    let control: WorkerTableReader
    let ingestEndpoints: IngestEndpoints
    let workers: () -> [(name: String, status: WorkerTableEntry)]

    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_build_info", .gauge, "Always 1; version and revision of the proxy are in its labels.",
            [([("revision", revision), ("version", ProxyVersion.current)], 1)])
        let usage = processes.compactMap { process in process.usage.map { (process.name, $0) } }
        func each(_ value: (ProcessUsage) -> Double) -> [FamilyBuilder.Sample] {
            usage.map { ([("process", $0.0)], value($0.1)) }
        }
        func known(_ value: (ProcessUsage) -> Int?) -> [FamilyBuilder.Sample] {
            usage.compactMap { name, usage in value(usage).map { ([("process", name)], Double($0)) } }
        }
        families.add(
            "fodc_proxy_process_cpu_seconds_total", .counter, "User and system CPU time of a process of the proxy.",
            each { $0.userSeconds + $0.systemSeconds })
        families.add(
            "fodc_proxy_process_resident_memory_bytes", .gauge,
            "Resident memory of a process of the proxy; shared rings count in each process that maps them.",
            each { Double($0.residentBytes) })
        families.add(
            "fodc_proxy_process_virtual_memory_bytes", .gauge, "Address space of a process of the proxy.",
            each { Double($0.virtualBytes) })
        families.add(
            "fodc_proxy_process_threads", .gauge, "Threads of a process of the proxy.", each { Double($0.threads) })
        families.add(
            "fodc_proxy_process_open_fds", .gauge, "Open file descriptors of a process of the proxy.",
            known { $0.openDescriptors })
        families.add(
            "fodc_proxy_process_max_fds", .gauge,
            "Maximum number of open file descriptors of a process of the proxy (RLIMIT_NOFILE).",
            known { $0.maximumDescriptors })
        families.add(
            "fodc_proxy_process_start_time_seconds", .gauge,
            "Unix time of the start of a process of the proxy.", each { $0.startedAtSeconds })
    }

    /// Each process sees itself alone, and tells it in the memory that it writes.
    var processes: [(name: String, usage: ProcessUsage?)] {
        func read(_ first: Int, _ word: (Int) -> UInt64?) -> ProcessUsage? {
            ProcessUsage(words: (first..<first + ProcessUsage.wordCount).compactMap(word))
        }
        let told = ingestEndpoints.followers.reduce(into: [String: ProcessUsage]()) { told, follower in
            told["ingest-\(follower.worker)"] = read(IngestCounter.firstProcessWord) { follower.reader?.counter($0) }
        }
        return [("supervisor", read(SupervisorCounter.firstProcessWord) { control.counter($0) })]
            + workers().filter { $0.status.processID > 0 && $0.status.state != .dead }.map { worker in
                (worker.name, worker.name == "exporter" ? OwnProcess.current.usage() : told[worker.name])
            }
    }
}
