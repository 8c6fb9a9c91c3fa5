// SPDX-License-Identifier: Apache-2.0

/// How well an agent does its work.
public enum AgentBehaviour: Sendable, Equatable {
    case normal
    /// Answers every request for metrics this much later.
    case slow(Duration)
    /// Never answers a request for metrics, but heartbeats.
    case hanging
    /// Some time after it has registered, does nothing more and reads nothing, as a process that was stopped.
    case frozen

    /// Which agents of a fleet behave how: exactly as many as the fractions say (rounded), drawn by `seed`.
    public static func assign(
        agentCount: Int, slow: (fraction: Double, delay: Duration)?, hanging: Double, frozen: Double, seed: UInt64
    ) -> [Self] {
        func count(_ fraction: Double) -> Int {
            Int((Double(agentCount) * min(1, max(0, fraction))).rounded())
        }
        var behaviours: [Self] = []
        if let slow { behaviours += Array(repeating: .slow(slow.delay), count: count(slow.fraction)) }
        behaviours += Array(repeating: .hanging, count: count(hanging))
        behaviours += Array(repeating: .frozen, count: count(frozen))
        behaviours = Array(behaviours.prefix(agentCount))
        behaviours += Array(repeating: .normal, count: agentCount - behaviours.count)
        var generator = SimulationGenerator(seed: StableHash.mix(seed ^ 0xBE4A))
        behaviours.shuffle(using: &generator)
        return behaviours
    }
}
