// SPDX-License-Identifier: Apache-2.0
import BlackBox
import WorkerLink

/// The metrics of the black box, as its recorder publishes them.
struct RecorderMetrics: MetricSource {
    private let recorder: RecorderGauge
    private let ownCollections: () -> UInt64
    private let gone: () -> [BlackBoxReader.GoneNode]

    /// - Parameter gone: the nodes that are gone, those that went last first.
    init(
        _ recorder: RecorderGauge, ownCollections: @escaping () -> UInt64,
        gone: @escaping () -> [BlackBoxReader.GoneNode]
    ) {
        self.recorder = recorder
        self.ownCollections = ownCollections
        self.gone = gone
    }

    func addMetrics(to families: inout FamilyBuilder) {
        func seconds(_ counter: RecorderCounter) -> Double { Double(recorder.counter(counter)) / 1e9 }
        families.add(
            "fodc_proxy_black_box_collections_total", .counter,
            "Collections of the latest values that were started because nobody scraped within --record-interval.",
            Double(ownCollections()))
        families.add(
            "fodc_proxy_incidents_total", .counter, "Incidents that the recorder has opened, by kind.",
            IncidentKind.allCases.enumerated().map { place, kind in
                ([("kind", kind.rawValue)], Double(recorder.counter(RecorderCounter.firstIncidentWord + place)))
            })
        families.add(
            "fodc_proxy_black_box_samples_total", .counter, "Samples that were written into the black box.",
            Double(recorder.counter(.samplesRecorded)))
        families.add(
            "fodc_proxy_black_box_ring_records_missed_total", .counter,
            "Records that the rings had overwritten before the recorder read them.",
            Double(recorder.counter(.recordsMissed)))
        families.add(
            "fodc_proxy_black_box_records_skipped_total", .counter,
            "Records of the rings, and chunks of the black box, that the recorder left out, by cause.",
            [
                ("damaged", RecorderCounter.recordsDamaged), ("malformed", .recordsMalformed),
                ("poison", .recordsPoisonous),
            ]
            .map { ([("cause", $0)], Double(recorder.counter($1))) })
        families.add(
            "fodc_proxy_black_box_write_errors_total", .counter, "Failed attempts to write the black box, by cause.",
            RecorderTrouble.allCases.map { cause in
                ([("cause", cause.name)], Double(recorder.counter(RecorderCounter.firstErrorWord + cause.rawValue)))
            })
        families.add(
            "fodc_proxy_black_box_last_commit_timestamp_seconds", .gauge,
            "Unix time of the recorder's last commit; 0 before the first.", seconds(.lastCommitAtNanoseconds))
        families.add(
            "fodc_proxy_black_box_oldest_sample_timestamp_seconds", .gauge,
            "Unix time of the oldest sample in the black box; 0 without one.", seconds(.oldestSampleAtNanoseconds))
        families.add(
            "fodc_proxy_node_gone_timestamp_seconds", .gauge,
            "Unix time at which a node was lost that has not come back, by pod and reason.", goneNodes)
        let (used, profiles) = (recorder.counter(.usedBytes), recorder.counter(.profileBytes))
        families.add(
            "fodc_proxy_black_box_bytes", .gauge,
            "Bytes of the black box in use: stored profiles, and everything else.",
            [
                ([("kind", "profiles")], Double(profiles)),
                ([("kind", "records")], Double(used - min(used, profiles))),
            ])
    }

    /// A pod with several agents is one series: the newest loss counts.
    private var goneNodes: [FamilyBuilder.Sample] {
        var seen: Set<[String]> = []
        return gone().filter { seen.insert([$0.podName, $0.reason]).inserted }.map {
            ([("pod_name", $0.podName), ("reason", $0.reason)], Double($0.goneAtNanoseconds) / 1e9)
        }
    }
}
