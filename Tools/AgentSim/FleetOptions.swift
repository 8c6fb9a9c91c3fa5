// SPDX-License-Identifier: Apache-2.0

import AgentSimulation
import ArgumentParser

/// Options that say which agents there are and what they send.
struct FleetOptions: ParsableArguments {
    @Option(help: "Number of agents.")
    var agents = 5

    @Option(help: "Series of each agent.")
    var series = 500

    @Option(help: "Mix of node kinds by weight, out of liaison, data, hot, warm and cold.")
    var role = "liaison=1,hot=2,warm=1,cold=1"

    @Option(help: "Prefix of the pods' names.")
    var podPrefix = "banyandb"

    @Option(help: "Index of the first agent, so that several processes make one fleet.")
    var startIndex = 0

    @Option(help: "Values: 'moving' as real ones, or 'fixed', each a function of pod and series text alone.")
    var values = ValueSource.moving

    @Option(help: "Seed of everything that is drawn.")
    var seed: UInt64 = 1

    @Option(help: "How often agents read their nodes; whole seconds.")
    var recordInterval = GoDuration(.seconds(10))

    @Option(help: "How many readings agents keep for windows.")
    var windowPoints = 60

    func settings() throws -> FleetSettings {
        var settings = FleetSettings()
        guard (0...Self.maximumCount).contains(agents) else { throw Self.outside("--agents", agents) }
        guard (0...Self.maximumCount).contains(series) else { throw Self.outside("--series", series) }
        guard (0...Self.maximumCount).contains(startIndex) else { throw Self.outside("--start-index", startIndex) }
        guard (1...Self.maximumCount).contains(windowPoints) else {
            throw ValidationError("--window-points \(windowPoints): 1 to \(Self.maximumCount) are allowed.")
        }
        guard let mix = RoleMix(role) else {
            throw ValidationError(
                "--role '\(role)': kinds out of \(NodeKind.allCases.map(\.rawValue).joined(separator: ", ")) are allowed, "
                    + "each once, with weights of 0 to \(RoleMix.maximumWeight), as in liaison=1,hot=2.")
        }
        guard !podPrefix.isEmpty, podPrefix.utf8.count <= Self.maximumPodPrefixBytes else {
            throw ValidationError("--pod-prefix: 1 to \(Self.maximumPodPrefixBytes) bytes are allowed.")
        }
        let interval = recordInterval.duration.components
        guard interval.attoseconds == 0, (1...86_400).contains(interval.seconds) else {
            throw ValidationError("--record-interval \(recordInterval): whole seconds from 1s to 24h are allowed.")
        }
        settings.agentCount = agents
        settings.seriesCount = series
        settings.mix = mix
        settings.podPrefix = podPrefix
        settings.startIndex = startIndex
        settings.values = values
        settings.seed = seed
        settings.recordIntervalSeconds = interval.seconds
        settings.windowPointCount = windowPoints
        return settings
    }

    /// Far beyond what one machine can simulate.
    private static let maximumCount = 1_000_000
    /// Names of pods have at most 253 bytes.
    private static let maximumPodPrefixBytes = 200

    private static func outside(_ flag: String, _ value: Int) -> ValidationError {
        ValidationError("\(flag) \(value): 0 to \(maximumCount) are allowed.")
    }
}

extension ValueSource: ExpressibleByArgument {}
