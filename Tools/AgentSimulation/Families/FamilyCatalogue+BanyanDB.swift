// SPDX-License-Identifier: Apache-2.0

/// Families of the database itself: reads, writes and storage. Names and labels are those that upstream's dashboards query
/// (Tests/e2e/dashboard_queries.txt); helps are ours.
extension FamilyCatalogue {
    static let measure: [MetricFamily] = [
        .counter("banyandb_measure_total_query", "Queries of measures that were begun.", 3.5, [group]),
        .seconds("banyandb_measure_total_latency", "Seconds spent in queries of measures.", 0.21, [group]),
        .counter("banyandb_measure_total_err", "Queries of measures that failed.", 0, [group]),
        .histogram(
            "banyandb_query_latency_seconds", "How long a query took.", latencyBounds, 4, 0.043, [method, group]),
        .counter("banyandb_measure_total_batch", "Batches that were written.", 2, [group], .dataOnly),
        .seconds(
            "banyandb_measure_total_batch_intro_latency", "Seconds to take batches in.", 0.004, [group], .dataOnly),
    ]

    static let liaison: [MetricFamily] = [
        .counter(
            "banyandb_liaison_grpc_total_started", "Calls that were begun, by service and method.", 6,
            [method, service, fewGroups], .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_finished", "Calls that were ended, by service and method.", 6,
            [method, service, fewGroups], .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_err", "Calls that failed, by service and method.", 0,
            [method, service, fewGroups], .liaisonOnly),
        .seconds(
            "banyandb_liaison_grpc_total_latency", "Seconds spent in calls.", 0.11, [method, service, fewGroups],
            .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_stream_started", "Streams that were begun.", 0.2, [service], .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_stream_msg_received", "Messages received on streams.", 95,
            [service, fewGroups],
            .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_stream_msg_received_err", "Messages that could not be received.", 0,
            [service, fewGroups], .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_stream_msg_sent", "Messages sent on streams.", 95, [service], .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_registry_started", "Calls of the registry.", 0.05, [method, fewGroups],
            .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_registry_err", "Calls of the registry that failed.", 0, [method, fewGroups],
            .liaisonOnly),
        .histogram(
            "banyandb_liaison_http_request_duration_seconds", "How long HTTP requests took.", latencyBounds, 0.8, 0.02,
            [LabelAxis("code", ["200", "400", "404", "500"])], .liaisonOnly),
        .histogram(
            "banyandb_liaison_write_batch_bytes", "Size of the batches sent to data nodes.", sizeBounds, 3, 58_000,
            [group], .liaisonOnly),
        .gauge(
            "banyandb_liaison_nodes_active", "Data nodes that take writes.", .integerGauge, 6, 0.2, [], .liaisonOnly),
    ]

    /// The tables of parts, which measures, streams and traces have alike. A liaison has those that wait to be sent.
    static let tables = ["banyandb_measure", "banyandb_stream_tst", "banyandb_trace_tst"].flatMap(table)

    private static func table(_ prefix: String) -> [MetricFamily] {
        let shards = [segment, shard, group]
        return [
            .counter("\(prefix)_total_written", "Data points, elements or spans written.", 120, [group]),
            .counter(
                "\(prefix)_total_sync_loop_err", "Runs of the loop that sends parts that failed.", 0, [group],
                .liaisonOnly),
            .gauge("\(prefix)_pending_data_count", "Batches that wait.", .integerGauge, 4, 0.9, [group], .liaisonOnly),
            .gauge("\(prefix)_total_mem_part", "Parts in memory.", .integerGauge, 3, 0.9, [group], .liaisonOnly),
            .gauge("\(prefix)_total_mem_part", "Parts in memory.", .integerGauge, 7, 0.9, shards, .dataOnly),
            .gauge("\(prefix)_total_file_parts", "Parts in files.", .integerGauge, 5, 0.9, [group], .liaisonOnly),
            .gauge("\(prefix)_total_file_parts", "Parts in files.", .integerGauge, 23, 0.4, shards, .dataOnly),
            .gauge(
                "\(prefix)_total_file_elements", "Elements of the parts in files.", .integerGauge, 9.3e6, 0.1, shards,
                .dataOnly),
            .counter(
                "\(prefix)_total_merge_loop_started", "Runs of the loop that merges parts.", 0.2, shards, .dataOnly),
            .counter(
                "\(prefix)_total_merged_parts", "Parts that were merged into others.", 0.9,
                [mergeType, segment, shard, fewGroups],
                .dataOnly),
            .seconds(
                "\(prefix)_total_merge_latency", "Seconds spent in merging parts.", 0.013,
                [mergeType, segment, shard, fewGroups],
                .dataOnly),
        ]
    }

    private static let mergeType = LabelAxis("type", ["file", "mem"])

    /// Traces have no index of series.
    static let indexes = [
        "banyandb_measure_inverted_index", "banyandb_stream_storage_inverted_index",
        "banyandb_stream_tst_inverted_index",
    ].flatMap { prefix -> [MetricFamily] in
        let shards = [segment, shard, fewGroups]
        return [
            .counter("\(prefix)_total_updates", "Documents that were indexed.", 41, shards, .dataOnly),
            .counter(
                "\(prefix)_total_term_searchers_started", "Searches for terms.", 12, shards, .dataOnly),
            .gauge(
                "\(prefix)_total_doc_count", "Documents in an index.", .integerGauge, 48_000, 0.1, shards, .dataOnly),
        ]
    }

    static let storage: [MetricFamily] = [
        .histogram(
            "banyandb_storage_flush_duration_seconds", "How long it took to flush a part.", latencyBounds, 0.3, 0.18,
            [group], .dataOnly),
        .histogram(
            "banyandb_storage_block_read_bytes", "Size of the blocks read from disk.", sizeBounds, 30, 21_000, [group],
            .dataOnly),
        .gauge(
            "banyandb_storage_retention_disk_usage_percent", "Part of the disk in use.", .decimalGauge, 48.5, 0.05,
            [service], .dataOnly),
        .counter("banyandb_storage_retention_deleted_segments", "Segments past their time.", 0, [service], .dataOnly),
        .gauge(
            "banyandb_storage_cache_hit_ratio", "Part of the reads that the cache served.", .gauge, 0.87, 0.1, [service]
        ),
        .gauge("banyandb_storage_cache_bytes", "Bytes held in the cache.", .integerGauge, 6.6e7, 0.3, [service]),
        .counter(
            "banyandb_property_total_written", "Properties that were written.", 0.4, [LabelAxis("shard", ["0", "1"])]),
        .counter("banyandb_property_repair_total", "Runs of the repair of properties.", 0.01),
    ]
}
