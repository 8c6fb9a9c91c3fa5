// SPDX-License-Identifier: Apache-2.0

/// Every series of one plan, encoded once, for all agents whose pod names are of one length. An answer copies a
/// metric's bytes and writes into the copy what differs: pod name, value, seconds.
///
/// Each metric is there several times, with its labels in another order each time: Go ranges over maps in random
/// order, and so no two answers of a real agent have the same bytes.
final class TemplateSet: Sendable {
    struct Entry {
        /// Of the first variant in `bytes`; the others follow, all of the same length.
        let start: Int
        let byteCount: Int
        /// From the start of a variant; 0: the value is always 0 and left out.
        let valueOffset: Int
        let secondsOffset: Int
        let model: ValueModel
        let childKey: UInt64
        let textKey: UInt64
    }

    /// Orders of labels that are kept of each metric. More cost memory and cache without being more random in effect:
    /// which one is taken is drawn anew for each metric of each answer.
    static let variantCount = 4

    let plan: SeriesPlan
    let podNameBytes: Int
    let bytes: [UInt8]
    let entries: [Entry]
    /// Of variant `v` of entry `e`, at `e * variantCount + v`, from the variant's start; 0: no `pod_name`.
    let podOffsets: [UInt32]
    /// A random order of the entries; answers go through it with a start and a stride of their own.
    let order: [UInt32]
    /// The sum of one variant of every entry.
    let bytesPerPoint: Int

    /// - Parameter seed: of the orders of labels and entries.
    init(plan: SeriesPlan, podNameBytes: Int, source: ValueSource, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        var entries: [Entry] = []
        var podOffsets: [UInt32] = []
        let placeholder = String(repeating: "p", count: podNameBytes)
        for series in plan.series {
            var labels = series.labels(podName: placeholder).map { (Array($0.name.utf8), Array($0.value.utf8)) }
            let isZero = source == .moving && series.model.course == .zero
            let start = bytes.count
            var places = WireMetric.Places(byteCount: 0)
            for _ in 0..<Self.variantCount {
                labels.shuffle(using: &generator)
                let metric = WireMetric(
                    name: Array(series.name.utf8), labels: labels, value: isZero ? 0 : 1, help: Array(series.help.utf8),
                    seconds: RecordingSchedule.earliestSeconds, type: series.type.rawValue)
                let pod = labels.firstIndex { $0.0 == Self.podLabel }
                places = metric.append(to: &bytes, marking: pod)
                podOffsets.append(UInt32(places.label ?? 0))
            }
            entries.append(
                Entry(
                    start: start, byteCount: places.byteCount, valueOffset: places.value ?? 0,
                    secondsOffset: places.seconds ?? 0, model: series.model, childKey: series.childKey,
                    textKey: series.textKey))
        }
        self.plan = plan
        self.podNameBytes = podNameBytes
        self.bytes = bytes
        self.entries = entries
        self.podOffsets = podOffsets
        order = (0..<UInt32(entries.count)).shuffled(using: &generator)
        bytesPerPoint = entries.reduce(0) { $0 + $1.byteCount }
    }

    private static let podLabel = Array("pod_name".utf8)
}
