// SPDX-License-Identifier: Apache-2.0

/// Families of the machine, the kernel and the Go runtime.
extension FamilyCatalogue {
    static let system: [MetricFamily] = [
        .gauge("banyandb_system_up_time", "Seconds since the node was started.", .fractionalCounter, 1, 0),
        .gauge("banyandb_system_cpu_num", "Processors of the machine.", .constant, 8),
        .gauge(
            "banyandb_system_cpu_state", "Part of the time that processors spent, by state.", .gauge, 0.2, 0.8,
            [LabelAxis("kind", ["user", "system", "idle", "iowait"])]),
        .gauge(
            "banyandb_system_memory_state", "Memory, by state.", .constant, 8_589_934_592, 0, [fixed("kind", "total")]),
        .gauge(
            "banyandb_system_memory_state", "Memory, by state.", .integerGauge, 4.2e9, 0.2,
            [LabelAxis("kind", ["used", "available"])]),
        .gauge(
            "banyandb_system_memory_state", "Memory, by state.", .decimalGauge, 48.9, 0.2,
            [fixed("kind", "used_percent")]),
        .gauge(
            "banyandb_system_disk", "Bytes of the disks, by path and state.", .constant, 1.0e11, 0,
            [fixed("kind", "total"), diskPath]),
        .gauge(
            "banyandb_system_disk", "Bytes of the disks, by path and state.", .integerGauge, 4.1e10, 0.01,
            [fixed("kind", "used"), diskPath]),
        .counter(
            "banyandb_system_net_state", "Bytes and packets of the network interfaces.", 88_000,
            [fixed("kind", "bytes_recv"), networkInterface]),
        .counter(
            "banyandb_system_net_state", "Bytes and packets of the network interfaces.", 91_000,
            [fixed("kind", "bytes_sent"), networkInterface]),
        .counter(
            "banyandb_system_net_state", "Bytes and packets of the network interfaces.", 300,
            [LabelAxis("kind", ["packets_recv", "packets_sent"]), networkInterface]),
        .gauge(
            "banyandb_build_info", "1, with the version in the labels.", .constant, 1, 0,
            [LabelAxis("version", ["0.10.0"])]),
    ]

    private static let diskPath = LabelAxis("path", ["/data/measure", "/data/stream"])
    private static let networkInterface = LabelAxis("name", ["eth0", "lo"])

    static let kernel: [MetricFamily] = [
        .gauge("ktm_status", "1 while the kernel's tracing works.", .constant, 1, 0, [], .kernel),
        .gauge("ktm_degraded", "1 while a part of the tracing is missing.", .zero, 0, 0, [], .kernel),
        .counter("ktm_cache_lookups_total", "Lookups in the page cache.", 930, [], .kernel),
        .counter("ktm_cache_misses_total", "Lookups that the page cache did not serve.", 14, [], .kernel),
        .counter(
            "ktm_fadvise_calls_total", "Calls of fadvise, by advice.", 0.7,
            [LabelAxis("advice", ["dontneed", "sequential", "willneed"])], .kernel),
        .counter(
            "ktm_memory_reclaim_total", "Reclaims of memory, by kind.", 0.06,
            [LabelAxis("kind", ["direct", "kswapd"])], .kernel),
        .histogram(
            "ktm_read_latency_seconds", "How long reads took.", ["1e-05", "0.0001", "0.001", "0.01", "0.1"], 57, 0.0004,
            [LabelAxis("device", ["vda", "vdb"])], .kernel),
    ]

    static let runtime: [MetricFamily] = [
        .summary(
            "go_gc_duration_seconds", "Pauses of the garbage collection.",
            [("0", 1.9e-05), ("0.25", 4.2e-05), ("0.5", 0.0001), ("0.75", 0.00023), ("1", 0.002)], 0.1, 0.00014, [],
            .everyContainer),
        .gauge("go_goroutines", "Goroutines that exist.", .integerGauge, 310, 0.3, [], .everyContainer),
        .gauge("go_threads", "Threads of the system.", .integerGauge, 14, 0.2, [], .everyContainer),
        .gauge(
            "go_info", "1, with the version of Go.", .constant, 1, 0, [LabelAxis("version", ["go1.24.6"])],
            .everyContainer),
        .gauge("go_memstats_alloc_bytes", "Bytes of the heap in use.", .integerGauge, 8.1e7, 0.5, [], .everyContainer),
        .counter("go_memstats_alloc_bytes_total", "Bytes of the heap ever used.", 2.3e6, [], .everyContainer),
        .counter("go_memstats_mallocs_total", "Objects of the heap ever made.", 31_000, [], .everyContainer),
        .counter("go_memstats_frees_total", "Objects of the heap ever freed.", 30_900, [], .everyContainer),
        .gauge(
            "go_memstats_heap_inuse_bytes", "Bytes in spans in use.", .integerGauge, 9.7e7, 0.4, [], .everyContainer),
        .gauge("go_memstats_heap_idle_bytes", "Bytes in idle spans.", .integerGauge, 3.7e7, 0.4, [], .everyContainer),
        .gauge(
            "go_memstats_next_gc_bytes", "Size of the heap at which the garbage is collected next.", .integerGauge,
            1.6e8, 0.2, [], .everyContainer),
        .gauge("go_memstats_heap_objects", "Objects of the heap.", .integerGauge, 412_000, 0.5, [], .everyContainer),
        .gauge("go_memstats_stack_inuse_bytes", "Bytes of stacks.", .integerGauge, 4.4e6, 0.2, [], .everyContainer),
        .gauge(
            "go_memstats_last_gc_time_seconds", "When the garbage was last collected.", .gauge, 1.76e9, 1e-6, [],
            .everyContainer),
        .seconds("process_cpu_seconds_total", "Seconds of processor time.", 0.34, [], .everyContainer),
        .gauge("process_open_fds", "Descriptors that are open.", .integerGauge, 96, 0.2, [], .everyContainer),
        .gauge("process_max_fds", "Descriptors that may be open.", .constant, 1_048_576, 0, [], .everyContainer),
        .gauge("process_resident_memory_bytes", "Bytes in memory.", .integerGauge, 2.6e8, 0.1, [], .everyContainer),
        .gauge(
            "process_virtual_memory_bytes", "Bytes of address space.", .integerGauge, 3.4e9, 0.01, [], .everyContainer),
        .gauge(
            "process_start_time_seconds", "When the process was started.", .constant, 1_735_689_600.37, 0, [],
            .everyContainer),
        .summary(
            "banyandb_grpc_request_seconds", "How long requests between nodes took.",
            [("0.5", 0.0031), ("0.9", 0.012), ("0.99", 0.067)], 5, 0.0044, [method]),
        .counter(
            "promhttp_metric_handler_requests_total", "Scrapes by status.", 0.1,
            [LabelAxis("code", ["200", "500", "503"])]),
        .gauge("promhttp_metric_handler_requests_in_flight", "Scrapes under way.", .constant, 1),
    ]
}
