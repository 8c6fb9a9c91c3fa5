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
            "Bytes of an ingest worker's ring that hold what is current, and cannot be given up.",
            ingest.byWorker(.ringCurrentBytes))
        families.add(
            "fodc_proxy_lane_unread_bytes", .gauge, "What this exporter has not read yet of a lane.",
            ingest.byWorker { Double($0.unreadBytes) })
        families.add(
            "fodc_proxy_back_pressure_seconds_total", .counter,
            "Time in which an ingest worker did not read its sockets because its ring was full.",
            ingest.byWorker { Double($0.counter(IngestCounter.backPressureNanoseconds.rawValue)) / 1e9 })
    }

    private func addLosses(to families: inout FamilyBuilder) {
        let ingest = IngestTotals(peers)
        families.add(
            "fodc_proxy_lane_records_lost_total", .counter, "Records that did not come through a lane, by cause.",
            ingest.byLabel("cause", [("too_large", .recordsTooLarge), ("no_memory", .recordsWithoutMemory)])
                + [
                    ([("cause", "damaged")], sum(\.damagedRecords)),
                    ([("cause", "poison")], Double(watch.skippedRecords)),
                ])
        families.add(
            "fodc_proxy_lanes_replaced_total", .counter,
            "Lanes that a worker found unusable (damaged, or of another version) and began anew.",
            ingest.sum(.lanesReplaced))
        families.add(
            "fodc_proxy_lane_lost_bytes_total", .counter,
            "Bytes of lanes that were overwritten before this exporter read them.", sum(\.faults.lostBytes))
    }

    private func addDamage(to families: inout FamilyBuilder) {
        let ingest = IngestTotals(peers)
        families.add(
            "fodc_proxy_lane_repairs_total", .counter,
            "Words of a ring's header and slots of its table that had changed and that their writer has put right.",
            [
                ([("kind", "command")], Double(workers.repairedWords)),
                ([("kind", "data")], ingest.sum(.ringRepairs)),
            ])
        families.add(
            "fodc_proxy_lane_stalls_total", .counter,
            "Times that the exporter could not read on in a data ring and waited for its writer to put it right.",
            sum(\.faults.stalls))
        families.add(
            "fodc_proxy_lane_rescans_total", .counter,
            "Times that the exporter looked for what is current in a data ring because records had been skipped.",
            sum(\.rescans))
        families.add(
            "fodc_proxy_lane_damaged_places_total", .counter,
            "Places in data rings that held no record any more when they were to be overwritten.",
            ingest.sum(.ringDamagedPlaces))
        families.add(
            "fodc_proxy_commands_damaged_total", .counter,
            "Commands to ingest workers that did not come through a command ring, or were none.",
            ingest.sum(.commandsDamaged))
    }

    /// Over all rings.
    private func sum(_ count: KeyPath<LaneFollower, UInt64>) -> Double {
        Double(peers.followers.reduce(UInt64(0)) { $0 &+ $1[keyPath: count] })
    }
}
