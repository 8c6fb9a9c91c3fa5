// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Collects lifecycle by itself every `--lifecycle-interval`: dashboards chart the gauge of schema consistency, which
/// would else be there only after somebody has asked.
final class LifecycleTimer {
    /// After the start agents need a moment to come; with nobody there a collection would say nothing for a whole interval.
    private static let firstDelay = TimeAmount.seconds(10)
    private static let retryDelay = TimeAmount.seconds(1)

    private let collector: LifecycleCollector
    private let hasAgents: () -> Bool
    private let interval: TimeAmount
    private let loop: any EventLoop
    private var isStopped = false

    /// - Parameter interval: above zero.
    init(
        collector: LifecycleCollector, interval: TimeAmount, loop: any EventLoop, hasAgents: @escaping () -> Bool
    ) {
        self.collector = collector
        self.interval = interval
        self.loop = loop
        self.hasAgents = hasAgents
    }

    func start() { schedule(in: min(interval, Self.firstDelay)) }

    /// A successor collects from now on.
    func stop() { isStopped = true }

    private func schedule(in delay: TimeAmount) {
        loop.assumeIsolated().scheduleTask(in: delay) { [self] in
            guard !isStopped else { return }
            guard hasAgents() else { return schedule(in: Self.retryDelay) }
            // The next is counted from the end of this one, so that they never pile up.
            collector.collect { [self] _ in schedule(in: interval) }
        }
    }
}
