// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The agents that live on one event loop.
final class FleetShard {
    private let agents: [(place: Int, agent: SimulatedAgent)]
    private var generator: SimulationGenerator
    private var churn: Scheduled<Void>?

    /// - Parameter agents: each with its place in the fleet, which says when it starts.
    init(_ agents: [(place: Int, agent: SimulatedAgent)], seed: UInt64) {
        self.agents = agents
        generator = SimulationGenerator(seed: StableHash.mix(seed ^ 0xC0DE))
    }

    func start(settings: FleetSettings, shardCount: Int, eventLoop: any EventLoop) {
        for (place, agent) in agents {
            let seconds = settings.connectsPerSecond > 0 ? Double(place) / settings.connectsPerSecond : 0
            agent.start(after: .nanoseconds(Int64(seconds * 1e9)))
        }
        guard settings.churnPerSecond > 0, !agents.isEmpty else { return }
        let interval = TimeAmount.nanoseconds(Int64(1e9 * Double(shardCount) / settings.churnPerSecond))
        scheduleChurn(every: interval, on: eventLoop)
    }

    func stop() {
        churn?.cancel()
        for (_, agent) in agents { agent.stop() }
    }

    private func scheduleChurn(every interval: TimeAmount, on eventLoop: any EventLoop) {
        churn = eventLoop.assumeIsolated().scheduleTask(in: interval) {
            self.scheduleChurn(every: interval, on: eventLoop)
            self.sendOneAway()
        }
    }

    private func sendOneAway() {
        let present = agents.filter { $0.agent.isPresent }
        present.randomElement(using: &generator)?.agent.leave()
    }
}
