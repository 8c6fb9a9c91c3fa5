// SPDX-License-Identifier: Apache-2.0

/// What the database itself exports. Names and labels are after those of BanyanDB; helps are ours.
extension FamilyCatalogue {
    static let measure: [MetricFamily] = [
        .counter("banyandb_measure_total_written", "Data points written to measures.", 120, [group]),
        .counter("banyandb_measure_total_query", "Queries of measures that were begun.", 3.5, [group]),
        .seconds("banyandb_measure_total_latency", "Seconds spent in queries of measures.", 0.21, [group]),
        .counter("banyandb_measure_total_err", "Queries of measures that failed.", 0, [group]),
        .histogram(
            "banyandb_query_latency_seconds", "How long a query took.", latencyBounds, 4, 0.043, [method, group]),
        .counter("banyandb_stream_total_written", "Elements written to streams.", 210, [group]),
        .counter("banyandb_trace_total_written", "Spans written to traces.", 340, [group]),
        .counter("banyandb_measure_total_batch", "Batches that were written.", 2, [group], .dataOnly),
        .seconds(
            "banyandb_measure_total_batch_intro_latency", "Seconds to take batches in.", 0.004, [group], .dataOnly),
    ]

    static let liaison: [MetricFamily] = [
        .counter(
            "banyandb_liaison_grpc_total_started", "Calls that were begun, by service and method.", 6,
            [service, method, group], .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_finished", "Calls that were ended, by service and method.", 6,
            [service, method, group], .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_err", "Calls that failed, by service and method.", 0,
            [service, method, group], .liaisonOnly),
        .seconds(
            "banyandb_liaison_grpc_total_latency", "Seconds spent in calls.", 0.11, [service, method, group],
            .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_stream_started", "Streams that were begun.", 0.2, [service], .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_stream_msg_received", "Messages received on streams.", 95, [service],
            .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_stream_msg_sent", "Messages sent on streams.", 95, [service], .liaisonOnly),
        .counter(
            "banyandb_liaison_grpc_total_registry_started", "Calls of the registry.", 0.05, [method], .liaisonOnly),
        .histogram(
            "banyandb_liaison_http_request_duration_seconds", "How long HTTP requests took.", latencyBounds, 0.8, 0.02,
            [LabelAxis("code", ["200", "400", "404", "500"])], .liaisonOnly),
        .histogram(
            "banyandb_liaison_write_batch_bytes", "Size of the batches sent to data nodes.", sizeBounds, 3, 58_000,
            [group], .liaisonOnly),
        .gauge(
            "banyandb_liaison_nodes_active", "Data nodes that take writes.", .integerGauge, 6, 0.2, [], .liaisonOnly),
    ]

    static let storage: [MetricFamily] = [
        .gauge(
            "banyandb_storage_disk_used_bytes", "Bytes used on the disk.", .gauge, 1.5e9, 0.001,
            [LabelAxis("path", ["/data/measure", "/data/stream", "/data/trace", "/data/property"])]),
        .counter(
            "banyandb_storage_inverted_index_total_updates", "Documents that were indexed.", 41,
            [segment, shard, group],
            .dataOnly),
        .counter(
            "banyandb_storage_inverted_index_total_deletes", "Documents taken out of an index.", 0,
            [segment, shard, group],
            .dataOnly),
        .gauge(
            "banyandb_storage_inverted_index_total_doc_count", "Documents in an index.", .integerGauge, 48_000, 0.1,
            [segment, shard, group], .dataOnly),
        .counter(
            "banyandb_storage_inverted_index_total_term_searchers_started", "Searches for terms.", 12,
            [segment, shard, group],
            .dataOnly),
        .gauge(
            "banyandb_measure_tst_total_mem_part", "Parts in memory.", .integerGauge, 7, 0.9, [segment, shard, group],
            .dataOnly),
        .gauge(
            "banyandb_measure_tst_total_mem_elements", "Elements of the parts in memory.", .integerGauge, 5200, 0.9,
            [segment, shard, group], .dataOnly),
        .gauge(
            "banyandb_measure_tst_total_mem_element_bytes", "Bytes of the parts in memory.", .integerGauge, 2.1e6, 0.9,
            [segment, shard, group], .dataOnly),
        .gauge(
            "banyandb_measure_tst_total_file_parts", "Parts in files.", .integerGauge, 23, 0.4,
            [segment, shard, group], .dataOnly),
        .gauge(
            "banyandb_measure_tst_total_file_elements", "Elements of the parts in files.", .integerGauge, 9.3e6, 0.1,
            [segment, shard, group], .dataOnly),
        .counter(
            "banyandb_measure_tst_total_merge_loop_started", "Runs of the loop that merges parts.", 0.2,
            [segment, shard, group],
            .dataOnly),
        .counter(
            "banyandb_measure_tst_total_merged_parts", "Parts that were merged into others.", 0.9,
            [LabelAxis("type", ["file", "mem"]), segment, shard, group], .dataOnly),
        .seconds(
            "banyandb_measure_tst_total_merge_latency", "Seconds spent in merging parts.", 0.013,
            [LabelAxis("type", ["file", "mem"]), segment, shard, group], .dataOnly),
        .counter(
            "banyandb_measure_tst_total_flush_loop_started", "Runs of the loop that flushes parts.", 0.2,
            [segment, shard, group], .dataOnly),
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
        .gauge("banyandb_storage_segments", "Segments that are open.", .integerGauge, 4, 0.3, [group], .dataOnly),
        .counter(
            "banyandb_property_total_written", "Properties that were written.", 0.4, [LabelAxis("shard", ["0", "1"])]),
        .counter("banyandb_property_repair_total", "Runs of the repair of properties.", 0.01),
    ]

    static let queue: [MetricFamily] = [
        .counter(
            "banyandb_queue_sub_total_started", "Messages taken from the queue.", 80, [LabelAxis("topic", topics)]),
        .counter(
            "banyandb_queue_sub_total_finished", "Messages that were worked off.", 80, [LabelAxis("topic", topics)]),
        .counter("banyandb_queue_sub_total_err", "Messages that failed.", 0, [LabelAxis("topic", topics)]),
        .seconds("banyandb_queue_sub_total_latency", "Seconds that messages took.", 0.4, [LabelAxis("topic", topics)]),
        .counter(
            "banyandb_queue_sub_total_msg_received_bytes", "Bytes of messages received.", 51_000,
            [LabelAxis("topic", topics)]),
        .histogram(
            "banyandb_queue_pub_send_seconds", "How long it took to send a batch.", latencyBounds, 2, 0.009,
            [LabelAxis("topic", topics)]),
        .counter(
            "banyandb_queue_pub_total_sent", "Batches sent to other nodes.", 22, [LabelAxis("node", open: "node-")]),
        .gauge(
            "banyandb_queue_pub_pending_bytes", "Bytes that wait to be sent.", .integerGauge, 34_000, 0.95,
            [LabelAxis("node", open: "node-")]),
    ]

    private static let topics = ["measure-write", "stream-write", "trace-write", "measure-query", "stream-query"]

    static let lifecycle: [MetricFamily] = [
        .counter("banyandb_lifecycle_total_cycles", "Runs of the migration.", 0.0003, [], .lifecycle),
        .counter(
            "banyandb_lifecycle_migrated_parts_total", "Parts moved to the next stage.", 0.02, [group], .lifecycle),
        .gauge(
            "banyandb_lifecycle_last_run_duration_seconds", "How long the last run took.", .gauge, 41.7, 0.4, [],
            .lifecycle),
    ]
}
