// SPDX-License-Identifier: Apache-2.0
import Metrics

/// The comment in a scrape whose filter matches no agent: without it a misspelt filter looks like nodes without metrics.
enum FilterComment {
    /// Of the filter's values so many characters are repeated.
    private static let longestValue = 128
    /// So many of the roles that there are get listed: agents make them up.
    private static let mostRoles = 8

    /// A comment of the text format, one line; empty when an agent matches.
    static func text(for filter: SeriesFilter, agents: [(role: String, podName: String)]) -> [UInt8] {
        guard !filter.isEmpty, !agents.contains(where: { filter.accepts(role: $0.role, podName: $0.podName) }) else {
            return []
        }
        let parts = [("role", filter.role), ("pod_name", filter.podName)].compactMap { name, value in
            value.map { "\(name)=\($0.quoted(atMost: longestValue))" }
        }
        var line = "# No agent matches \(parts.joined(separator: " and "))."
        let roles = Set(agents.map(\.role)).sorted().prefix(mostRoles).map { $0.quoted(atMost: longestValue) }
        line += roles.isEmpty ? " No agent is registered." : " Known roles: \(roles.joined(separator: ", "))."
        return Array("\(line) /cluster lists the agents.\n".utf8)
    }
}
