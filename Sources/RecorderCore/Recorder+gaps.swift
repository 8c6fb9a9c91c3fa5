// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Metrics
import Platform
import Rings

/// Minutes that are missing because an agent, the network or the proxy was away. The exporter reads in the black box which, and
/// asks the agent for a window; its answer comes through the ring.
extension Recorder {
    /// Gaps of a node that are known at a time; more are forgotten, the oldest first.
    private static let limitGaps = 8
    /// Values of a window that are made into samples at a time, 32 MiB of them.
    private static let limitValues = 4 << 20

    /// Samples are missing when so many intervals have passed without one.
    private var leastGapMicroseconds: Int64 { settings.intervalNanoseconds / 1000 * 5 / 2 }
    private var stepMicroseconds: Int64 { settings.intervalNanoseconds / 1000 * 4 / 5 }

    /// - Parameters:
    ///   - sample: about to be stored.
    ///   - last: when the one before was received.
    func noteGap(
        before sample: SampleColumns, last: Int64?, of node: Int64, _ store: BlackBoxStore
    ) throws(DatabaseError) {
        guard let last, sample.receivedAtNanoseconds.subtractingClamped(last) / 1000 > leastGapMicroseconds,
            let before = try store.lastSampleTimes(of: node)
        else { return }
        // So that what is filled in lies between two chunks.
        try store.seal(node)
        let until = sample.takenMicroseconds
        var gap = SampleGap(
            fromMicroseconds: before.takenMicroseconds, untilMicroseconds: until,
            offsetNanoseconds: sample.receivedAtNanoseconds.subtractingClamped(until.clampedNanoseconds),
            foundAtNanoseconds: wall())
        gap.fromMicroseconds = max(gap.fromMicroseconds, until.subtractingClamped(SampleGap.longestMicroseconds))
        // An agent's clock that was set says nothing.
        guard gap.lengthMicroseconds > leastGapMicroseconds, gap.lengthMicroseconds <= SampleGap.longestMicroseconds
        else { return }
        try keep(((gaps[node] ?? []) + [gap]).suffix(Self.limitGaps), of: node, store)
    }

    /// A window that an agent has answered, whoever has asked: what lies in a gap is stored.
    func takeWindow(
        _ payload: RawSpan, of node: Int64, _ agent: FollowedAgent, _ ring: FollowedRing, _ store: BlackBoxStore
    ) throws(DatabaseError) {
        guard let open = gaps[node], let number = WindowBatch.tableNumber(of: payload) else { return }
        guard let table = try table(number, of: agent, in: ring, store)?.stored,
            let window = WindowRows(payload: payload, seriesCount: table.seriesCount)
        else { return count { $0.recordsMalformed += 1 } }
        var rest: [SampleGap] = []
        for gap in open {
            // Half a step off the samples on both sides: readings of these are not taken once more.
            var samples = window.samples(
                after: gap.fromMicroseconds.addingClamped(stepMicroseconds / 2),
                before: gap.untilMicroseconds.subtractingClamped(stepMicroseconds / 2),
                stepMicroseconds: stepMicroseconds, maximumValues: Self.limitValues)
            guard let first = samples.first?.commonTimeMicroseconds, let last = samples.last?.commonTimeMicroseconds
            else {
                rest.append(gap)
                continue
            }
            for index in samples.indices {
                samples[index].receivedAtNanoseconds = samples[index].commonTimeMicroseconds.clampedNanoseconds
                    .addingClamped(gap.offsetNanoseconds)
            }
            try store.insertEarlier(samples, node: node, table: table)
            count { $0.samplesFilled += UInt64(samples.count * table.seriesCount) }
            rest += gap.without(first, last).filter { $0.lengthMicroseconds > leastGapMicroseconds }
        }
        if rest != open { try keep(rest, of: node, store) }
    }

    /// An agent has no more of a gap that it has not filled by then.
    func forgetOldGaps(_ store: BlackBoxStore) throws(DatabaseError) {
        let oldest = wall().subtractingClamped(SampleGap.longestMicroseconds * 1000)
        for (node, known) in gaps where known.contains(where: { $0.foundAtNanoseconds < oldest }) {
            try keep(known.filter { $0.foundAtNanoseconds >= oldest }, of: node, store)
        }
    }

    private func keep(_ changed: some Sequence<SampleGap>, of node: Int64, _ store: BlackBoxStore) throws(DatabaseError)
    {
        let changed = Array(changed)
        try store.replaceGaps(of: node, by: changed)
        gaps[node] = changed.isEmpty ? nil : changed
        isChanged = true
    }
}

extension Int64 {
    /// Microseconds as nanoseconds, clamped to the range of the type.
    fileprivate var clampedNanoseconds: Int64 {
        let (product, isOver) = multipliedReportingOverflow(by: 1000)
        return isOver ? (self < 0 ? .min : .max) : product
    }
}
