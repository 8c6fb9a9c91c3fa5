// SPDX-License-Identifier: Apache-2.0

/// Every series of one plan, encoded once, for all agents whose pod names are of one length. An answer copies the
/// bytes and writes into the copy what differs: pod name, value, seconds.
///
/// Series lie in blocks of a few, drawn at random, and each block is there several times, each time with its series and
/// their labels in another order: Go ranges over maps in random order, so no two answers of a real agent have the same
/// bytes. An answer takes the blocks in an order of its own and draws a variant of each. Copying block by block is what
/// makes agents cheap: metrics that lie scattered cost a cache miss each (measured: three times the time).
final class TemplateSet: Sendable {
    struct Block {
        /// Of the first variant in `bytes`; the others follow, all of the same length.
        let start: Int
        let byteCount: Int
        /// In `members`.
        let firstMember: Int
        let memberCount: Int
    }

    /// A series of a block, in an order that is the same for all variants.
    struct Member {
        let model: ValueModel
        let childKey: UInt64
        let textKey: UInt64
    }

    /// Where one series of one variant has what is written into it, from the start of the variant; 0: it has not.
    struct Patch {
        /// In the block.
        let member: UInt16
        let value: UInt16
        let seconds: UInt16
        let podName: UInt16
    }

    static let seriesPerBlock = 8
    /// Orders of a block that are kept. More cost memory and cache without being more random in effect, as one is
    /// drawn anew for each block of each answer.
    static let variantCount = 4

    let plan: SeriesPlan
    let bytes: [UInt8]
    let blocks: [Block]
    let members: [Member]
    /// Of variant `v` of a block, from `firstMember * variantCount + v * memberCount` on.
    let patches: [Patch]
    /// The sum of one variant of every block.
    let bytesPerPoint: Int
    let largestBlockBytes: Int

    /// - Parameters:
    ///   - podNameBytes: length of the agents' pod names.
    ///   - seed: of all orders.
    init(plan: SeriesPlan, podNameBytes: Int, source: ValueSource, seed: UInt64) {
        var generator = SimulationGenerator(seed: seed)
        let podName = String(repeating: "p", count: podNameBytes)
        let order = plan.series.shuffled(using: &generator)
        var builder = TemplateBuilder(podName: podName, source: source, generator: generator)
        for first in stride(from: 0, to: order.count, by: Self.seriesPerBlock) {
            builder.addBlock(order[first..<min(first + Self.seriesPerBlock, order.count)])
        }
        self.plan = plan
        bytes = builder.bytes
        blocks = builder.blocks
        patches = builder.patches
        members = order.map { Member(model: $0.model, childKey: $0.childKey, textKey: $0.textKey) }
        bytesPerPoint = blocks.reduce(0) { $0 + $1.byteCount }
        largestBlockBytes = blocks.map(\.byteCount).max() ?? 0
    }
}

/// Encodes the blocks of a ``TemplateSet``.
private struct TemplateBuilder {
    let podName: String
    let source: ValueSource
    var generator: SimulationGenerator
    var bytes: [UInt8] = []
    var blocks: [TemplateSet.Block] = []
    var patches: [TemplateSet.Patch] = []
    private var memberCount = 0

    private static let podLabel = Array("pod_name".utf8)

    init(podName: String, source: ValueSource, generator: SimulationGenerator) {
        self.podName = podName
        self.source = source
        self.generator = generator
    }

    mutating func addBlock(_ series: ArraySlice<PlannedSeries>) {
        let start = bytes.count
        for _ in 0..<TemplateSet.variantCount {
            let variantStart = bytes.count
            for (member, one) in Array(series.enumerated()).shuffled(using: &generator) {
                add(one, member: member, variantStart: variantStart)
            }
        }
        let byteCount = (bytes.count - start) / TemplateSet.variantCount
        precondition(byteCount <= UInt16.max, "names and helps of this program are far shorter")
        blocks.append(
            TemplateSet.Block(start: start, byteCount: byteCount, firstMember: memberCount, memberCount: series.count))
        memberCount += series.count
    }

    private mutating func add(_ series: PlannedSeries, member: Int, variantStart: Int) {
        let labels = series.labels(podName: podName).map { (name: Array($0.name.utf8), value: Array($0.value.utf8)) }
            .shuffled(using: &generator)
        let isZero = source == .moving && series.model.course == .zero
        let metric = WireMetric(
            name: Array(series.name.utf8), labels: labels, value: isZero ? 0 : 1, help: Array(series.help.utf8),
            seconds: RecordingSchedule.earliestSeconds, type: series.type.rawValue)
        let offset = bytes.count - variantStart
        let places = metric.append(to: &bytes, marking: labels.firstIndex { $0.name == Self.podLabel })
        func place(_ inMetric: Int?) -> UInt16 { UInt16(clamping: inMetric.map { $0 + offset } ?? 0) }
        patches.append(
            TemplateSet.Patch(
                member: UInt16(member), value: place(places.value), seconds: place(places.seconds),
                podName: place(places.label)))
    }
}
