// SPDX-License-Identifier: Apache-2.0

/// A block of an agent's table, as a family names it.
struct BlockReference: Sendable {
    /// Place of the agent in `FamilySnapshot.agents`.
    var agent: Int
    /// Place of the block in its table.
    var block: Int
}

/// All series of all agents that share a `# TYPE` line.
struct Family: Sendable {
    var name: [UInt8]
    var type: MetricType
    /// Escaped; empty when nobody sent a description.
    var help: [UInt8]
    /// In the order of rendering.
    var members: [BlockReference]
}

/// The data that an answer is rendered from. Immutable: a slow client reads on in its own while the next scrape has a newer one.
public final class FamilySnapshot: Sendable {
    let families: [Family]
    let agents: [AgentSnapshot]
    /// For each agent the series that are left out. Empty for nearly all.
    let hidden: [Set<Int>]

    /// Samples that are left out because a newer registration has the same series.
    public let duplicateSeriesCount: Int
    /// Series of histograms and summaries that are left out because `le` or `quantile` is not a number.
    public let oddBoundCount: Int

    /// - Parameters:
    ///   - duplicates: for each agent the series that a newer registration has, too.
    ///   - oddBounds: for each agent the series whose bound is not a number.
    init(families: [Family], agents: [AgentSnapshot], duplicates: [Set<Int>], oddBounds: [Set<Int>]) {
        self.families = families
        self.agents = agents
        duplicateSeriesCount = duplicates.reduce(0) { $0 + $1.count }
        oddBoundCount = oddBounds.reduce(0) { $0 + $1.count }
        hidden = oddBoundCount == 0 ? duplicates : zip(duplicates, oddBounds).map { $0.union($1) }
    }

    public var agentCount: Int { agents.count }
    /// Series in the tables, with a value or without.
    public var seriesCount: Int { agents.reduce(0) { $0 + $1.table.seriesCount } }
}
