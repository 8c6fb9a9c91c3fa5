// SPDX-License-Identifier: Apache-2.0

/// Families of the traffic between nodes, as both ends count it, and the migration of old segments, which goes the same way.
extension FamilyCatalogue {
    static let queue =
        publishers + operations.flatMap { subscriber($0, of: liaisons) }
        + migratedOperations.flatMap { subscriber($0, of: lifecycles) }

    /// `remote_node` begins with the other node's pod name, of a fleet with the default prefix and mix.
    private static let hotNodes = [
        LabelAxis("remote_node", ["banyandb-data-hot-0.hot:17912", "banyandb-data-hot-1.hot:17912"]),
        fixed("remote_role", "data"), fixed("remote_tier", "hot"),
    ]
    private static let liaisons = [
        fixed("remote_node", "banyandb-liaison-0.liaison:18912"), fixed("remote_role", "liaison"),
    ]
    private static let lifecycles = [
        fixed("remote_node", "banyandb-data-hot-0.hot:17912"), fixed("remote_role", "lifecycle"),
        fixed("remote_tier", "hot"),
    ]
    private static let operations = ["batch-write", "file-sync", "query", "control"]
    private static let migratedOperations = ["batch-write", "file-sync"]
    private static let operation = LabelAxis("operation", operations)
    private static let migratedOperation = LabelAxis("operation", migratedOperations)
    private static let error = fixed("error_type", "recv_error")

    /// Families of a liaison's messages to data nodes.
    private static let publishers: [MetricFamily] = {
        let axes = [operation] + hotNodes + [fewGroups]
        let prefix = "banyandb_queue_pub"
        return [
            .counter("\(prefix)_total_started", "Sends that were begun.", 22, axes, .liaisonOnly),
            .counter("\(prefix)_total_finished", "Sends that were ended.", 22, axes, .liaisonOnly),
            .counter("\(prefix)_total_err", "Sends that failed.", 0, [error] + axes, .liaisonOnly),
            .histogram("\(prefix)_total_latency", "How long sends took.", queueBounds, 22, 0.009, axes, .liaisonOnly),
            .counter("\(prefix)_sent_bytes", "Bytes sent.", 91_000, axes, .liaisonOnly),
            .counter("\(prefix)_total_batch_started", "Batches that were begun.", 2, axes, .liaisonOnly),
            .counter("\(prefix)_total_batch_finished", "Batches that were ended.", 2, axes, .liaisonOnly),
            .histogram(
                "\(prefix)_total_batch_latency", "How long batches took.", queueBounds, 2, 0.07, axes, .liaisonOnly),
        ]
    }()

    /// Families of one operation at a data node: families of one name, so that a small number of series has all operations.
    private static func subscriber(_ operation: String, of remote: [LabelAxis]) -> [MetricFamily] {
        let axes = [fixed("operation", operation)] + remote + [fewGroups]
        let prefix = "banyandb_queue_sub"
        let calls: [MetricFamily] = [
            .counter("\(prefix)_total_started", "Calls that were begun.", 80, axes, .dataOnly),
            .counter("\(prefix)_total_finished", "Calls that were ended.", 80, axes, .dataOnly),
            .histogram("\(prefix)_total_latency", "How long calls took.", queueBounds, 80, 0.005, axes, .dataOnly),
            .counter("\(prefix)_total_err", "Calls that failed.", 0, [error] + axes, .dataOnly),
        ]
        return switch operation {
        case "batch-write":
            calls + [
                .counter("\(prefix)_total_message_started", "Messages that were begun.", 240, axes, .dataOnly),
                .counter("\(prefix)_total_message_finished", "Messages that were ended.", 240, axes, .dataOnly),
                .counter("\(prefix)_total_batch_started", "Batches that were begun.", 2, axes, .dataOnly),
                .counter("\(prefix)_total_batch_finished", "Batches that were ended.", 2, axes, .dataOnly),
                .histogram(
                    "\(prefix)_total_batch_latency", "How long batches took.", queueBounds, 2, 0.06, axes, .dataOnly),
            ]
        case "file-sync": calls + [.counter("\(prefix)_received_bytes", "Bytes received.", 51_000, axes, .dataOnly)]
        default: calls
        }
    }

    /// Families of the container that moves old segments to the nodes of the next tier.
    static let lifecycle: [MetricFamily] = {
        let target = [
            fixed("remote_node", "banyandb-data-warm-0.warm:17912"), fixed("remote_role", "data"),
            fixed("remote_tier", "warm"),
        ]
        let axes = [migratedOperation] + target + [fewGroups]
        let prefix = "banyandb_lifecycle_migration"
        return [
            .counter("banyandb_lifecycle_cycles_total", "Runs of the migration.", 0.0003, [group], .lifecycle),
            .gauge(
                "banyandb_lifecycle_last_run_success", "1 after a run that went well.", .constant, 1, 0, [], .lifecycle),
            .gauge(
                "banyandb_lifecycle_last_run_timestamp_seconds", "When the last run ended.", .lastFullHour, 0, 0,
                [fewGroups],
                .lifecycle),
            .counter("\(prefix)_total_started", "Sends that were begun.", 0.4, axes, .lifecycle),
            .counter("\(prefix)_total_err", "Sends that failed.", 0, [error] + axes, .lifecycle),
            .histogram("\(prefix)_total_latency", "How long sends took.", queueBounds, 0.4, 0.05, axes, .lifecycle),
            .counter("\(prefix)_sent_bytes", "Bytes sent.", 31_000, axes, .lifecycle),
            .counter("\(prefix)_total_batch_started", "Batches that were begun.", 0.1, axes, .lifecycle),
            .counter("\(prefix)_total_batch_finished", "Batches that were ended.", 0.1, axes, .lifecycle),
            .histogram(
                "\(prefix)_total_batch_latency", "How long batches took.", queueBounds, 0.1, 0.3, axes, .lifecycle),
        ]
            + migratedOperations.map {
                .counter(
                    "\(prefix)_total_finished", "Sends that were ended.", 0.4,
                    [fixed("operation", $0)] + target + [fewGroups], .lifecycle)
            }
    }()
}
