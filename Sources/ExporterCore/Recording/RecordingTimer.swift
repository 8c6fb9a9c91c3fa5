// SPDX-License-Identifier: Apache-2.0
import Metrics
import NIOCore
import Platform

/// Collects the latest values by itself when no scrape does, so that the recorder has something to record.
final class RecordingTimer {
    /// After the start agents need a moment to come.
    private static let firstDelay = TimeAmount.seconds(2)
    private static let retryDelay = TimeAmount.seconds(1)

    private let collections: Collections
    private let loop: any EventLoop
    private let hasAgents: () -> Bool
    private var own: OwnCollections
    private var isStopped = false
    private(set) var started: UInt64 = 0

    /// - Parameter intervalNanoseconds: `--record-interval`, above zero.
    init(
        collections: Collections, intervalNanoseconds: UInt64, loop: any EventLoop, hasAgents: @escaping () -> Bool
    ) {
        self.collections = collections
        self.loop = loop
        self.hasAgents = hasAgents
        own = OwnCollections(intervalNanoseconds: intervalNanoseconds)
    }

    func start() { schedule(in: Self.firstDelay) }

    /// A successor collects from now on.
    func stop() { isStopped = true }

    private func schedule(in delay: TimeAmount) {
        loop.assumeIsolated().scheduleTask(in: delay) { [self] in look() }
    }

    private func look() {
        guard !isStopped else { return }
        let now = MonotonicClock.nowNanoseconds()
        let due = own.due(last: collections.lastWholeNanoseconds, now: now)
        guard now >= due else { return schedule(in: .nanoseconds(Int64(clamping: due - now))) }
        guard hasAgents() else { return schedule(in: Self.retryDelay) }
        started += 1
        // The next look is at the end of this one, so that they never pile up.
        collections.collect(SeriesFilter(), waitNanoseconds: Collections.longestNanoseconds) { [self] _ in
            schedule(in: .zero)
        }
        own.began(atNanoseconds: collections.lastWholeNanoseconds)
    }
}
