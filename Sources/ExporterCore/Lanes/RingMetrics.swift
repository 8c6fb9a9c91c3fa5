// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Metrics

/// Metrics of the data rings: size, use, losses, damage and repairs.
struct RingMetrics: MetricSource {
    private let peers: IngestPeers
    private let watch: RecordWatch
    private let workers: WorkerLines

    init(_ core: ExporterRuntime) {
        peers = core.peers
        watch = core.state.watch
        workers = core.workers
    }

    func addMetrics(to families: inout FamilyBuilder) {
        addSizes(to: &families)
        addLosses(to: &families)
        addDamage(to: &families)
    }

    private func addSizes(to families: inout FamilyBuilder) {
        let ingest = IngestTotals(peers)
        // Three metrics, because each is a part of the one before: under one name their sum would mean nothing.
        families.add(
            "fodc_proxy_lane_size_bytes", .gauge, "Size of an ingest worker's ring.", ingest.byWorker(.ringBytes))
        families.add(
            "fodc_proxy_lane_used_bytes", .gauge, "Bytes of records in an ingest worker's ring.",
            ingest.byWorker(.ringUsedBytes))
        families.add(
            "fodc_proxy_lane_current_bytes", .gauge,
            "Bytes of current records in an ingest worker's ring, which cannot be discarded.",
            ingest.byWorker(.ringCurrentBytes))
        families.add(
            "fodc_proxy_lane_unread_bytes", .gauge,
            "Bytes of an ingest worker's data ring that this exporter has not read yet.",
            ingest.byWorker { Double($0.unreadBytes) })
        families.add(
            "fodc_proxy_back_pressure_seconds_total", .counter,
            "Time during which an ingest worker did not read its sockets because its data ring was full.",
            ingest.byWorker { Double($0.counter(IngestCounter.backPressureNanoseconds.rawValue)) / 1e9 })
    }

    private func addLosses(to families: inout FamilyBuilder) {
        let ingest = IngestTotals(peers)
        families.add(
            "fodc_proxy_lane_records_lost_total", .counter, "Records lost in a ring, by cause.",
            ingest.byLabel("cause", [("too_large", .recordsTooLarge), ("no_memory", .recordsWithoutMemory)])
                + [
                    ([("cause", "damaged")], sum(\.damagedRecords)),
                    ([("cause", "poison")], Double(watch.skippedRecords)),
                ])
        families.add(
            "fodc_proxy_lanes_replaced_total", .counter,
            "Rings that a worker found unusable (damaged, or of another version) and formatted again.",
            ingest.sum(.lanesReplaced))
        families.add(
            "fodc_proxy_lane_lost_bytes_total", .counter,
            "Bytes of data rings that were overwritten before this exporter read them.", sum(\.faults.lostBytes))
    }

    private func addDamage(to families: inout FamilyBuilder) {
        let ingest = IngestTotals(peers)
        families.add(
            "fodc_proxy_lane_repairs_total", .counter,
            "Damaged words of ring headers and slots of agent tables that their writer repaired.",
            [
                ([("kind", "command")], Double(workers.repairedWords)),
                ([("kind", "data")], ingest.sum(.ringRepairs)),
            ])
        families.add(
            "fodc_proxy_lane_stalls_total", .counter,
            "Times that the exporter stopped reading a data ring until its writer repaired it.",
            sum(\.faults.stalls))
        families.add(
            "fodc_proxy_lane_rescans_total", .counter,
            "Rescans of a data ring for current records after damaged records were skipped.",
            sum(\.rescans))
        families.add(
            "fodc_proxy_lane_damaged_places_total", .counter,
            "Damaged places in data rings that their writer found when it was about to overwrite them.",
            ingest.sum(.ringDamagedPlaces))
        families.add(
            "fodc_proxy_commands_damaged_total", .counter,
            "Commands to ingest workers that were damaged or invalid.",
            ingest.sum(.commandsDamaged))
    }

    /// Over all rings.
    private func sum(_ count: KeyPath<LaneFollower, UInt64>) -> Double {
        Double(peers.followers.reduce(UInt64(0)) { $0 &+ $1[keyPath: count] })
    }
}
