// SPDX-License-Identifier: Apache-2.0
import Metrics
import RingMessages
import Rings

/// Metrics of the data rings: size, use, losses, damage and repairs.
struct RingMetrics: MetricSource {
    private let ingestEndpoints: IngestEndpoints
    private let crashGuard: CrashGuard
    private let workers: WorkerChannels

    init(_ core: ExporterRuntime) {
        ingestEndpoints = core.ingestEndpoints
        crashGuard = core.state.crashGuard
        workers = core.workers
    }

    func addMetrics(to families: inout FamilyBuilder) {
        addSizes(to: &families)
        addLosses(to: &families)
        addDamage(to: &families)
    }

    private func addSizes(to families: inout FamilyBuilder) {
        let ingest = IngestTotals(ingestEndpoints)
        // Three metrics, because each is a part of the one before: under one name their sum would mean nothing.
        families.add(
            "fodc_proxy_ring_size_bytes", .gauge, "Size of an ingest worker's ring.", ingest.byWorker(.ringBytes))
        families.add(
            "fodc_proxy_ring_used_bytes", .gauge, "Bytes of records in an ingest worker's ring.",
            ingest.byWorker(.ringUsedBytes))
        families.add(
            "fodc_proxy_ring_current_bytes", .gauge,
            "Bytes of current records in an ingest worker's ring, which cannot be discarded.",
            ingest.byWorker(.ringCurrentBytes))
        families.add(
            "fodc_proxy_ring_unread_bytes", .gauge,
            "Bytes of an ingest worker's data ring that this exporter has not read yet.",
            ingest.byWorker { Double($0.unreadBytes) })
        families.add(
            "fodc_proxy_back_pressure_seconds_total", .counter,
            "Time during which an ingest worker did not read its sockets because its data ring was full.",
            ingest.byWorker { Double($0.counter(IngestCounter.backPressureNanoseconds.rawValue)) / 1e9 })
    }

    private func addLosses(to families: inout FamilyBuilder) {
        let ingest = IngestTotals(ingestEndpoints)
        families.add(
            "fodc_proxy_ring_records_lost_total", .counter, "Records lost in a ring, by cause.",
            ingest.byLabel("cause", [("too_large", .recordsTooLarge), ("no_memory", .recordsWithoutMemory)])
                + [
                    ([("cause", "damaged")], sum(\.damagedRecords)),
                    ([("cause", "poison")], Double(crashGuard.skippedRecords)),
                ])
        families.add(
            "fodc_proxy_rings_replaced_total", .counter,
            "Rings that a worker found unusable (damaged, or of another version) and formatted again.",
            ingest.sum(.ringsReplaced))
        families.add(
            "fodc_proxy_ring_lost_bytes_total", .counter,
            "Bytes of data rings that were overwritten before this exporter read them.", sum(\.faults.lostBytes))
    }

    private func addDamage(to families: inout FamilyBuilder) {
        let ingest = IngestTotals(ingestEndpoints)
        families.add(
            "fodc_proxy_ring_repairs_total", .counter,
            "Damaged words of ring headers and slots of agent tables that their writer repaired.",
            [
                ([("kind", "command")], Double(workers.repairedWords)),
                ([("kind", "data")], ingest.sum(.ringRepairs)),
            ])
        families.add(
            "fodc_proxy_ring_stalls_total", .counter,
            "Times that the exporter stopped reading a data ring until its writer repaired it.",
            sum(\.faults.stalls))
        families.add(
            "fodc_proxy_ring_rescans_total", .counter,
            "Rescans of a data ring for current records after damaged records were skipped.",
            sum(\.rescans))
        families.add(
            "fodc_proxy_ring_damaged_places_total", .counter,
            "Damaged places in data rings that their writer found when it was about to overwrite them.",
            ingest.sum(.ringDamagedPlaces))
        families.add(
            "fodc_proxy_commands_damaged_total", .counter,
            "Commands to ingest workers that were damaged or invalid.",
            ingest.sum(.commandsDamaged))
    }

    /// Over all rings.
    private func sum(_ count: KeyPath<RingFollower, UInt64>) -> Double {
        Double(ingestEndpoints.followers.reduce(UInt64(0)) { $0 &+ $1[keyPath: count] })
    }
}
