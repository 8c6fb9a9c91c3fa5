// SPDX-License-Identifier: Apache-2.0
@testable import Metrics

/// The checks of all rendered text, whatever the records said: each line is inside its grammar, the same in pieces of
/// any size, and a filter lets nothing else through.
enum Rendering {
    /// - Parameter isSliced: whether it is rendered in small pieces, too.
    static func check(_ agents: [AgentSnapshot], isSliced: Bool) throws(Finding) {
        let snapshot = FamilyIndex().update(with: agents)
        let text = try exposition(snapshot, nil, chunk: pieceBytes)
        let all = try ExpositionGrammar(text)
        if isSliced { try hold(try exposition(snapshot, nil, chunk: 61) == text, "other text in small pieces") }
        // Without a name there is nothing to filter by.
        for agent in agents where !agent.podName.isEmpty && !agent.role.isEmpty {
            let filter = SeriesFilter(role: agent.role, podName: agent.podName)
            let own = try ExpositionGrammar(try exposition(snapshot, filter, chunk: pieceBytes))
            try checkOwn(own, agent)
            try hold(own.lines.count <= all.lines.count, "a filter lets more through than there is")
        }
        let json = try SpanBytes.collectedJSON(WindowsCursor(latest: agents))
        try checkElements(json, Set(agents.map(\.agentID)))
    }

    private static let pieceBytes = 1 << 12

    static func check(windows: [WindowAgent], isSliced: Bool) throws(Finding) {
        let json = try SpanBytes.collectedJSON(WindowsCursor(windows: windows))
        try checkElements(json, Set(windows.map(\.agentID)))
        guard isSliced else { return }
        let pieces = try SpanBytes.collectedJSON(WindowsCursor(windows: windows), chunk: 67)
        try hold(pieces == json, "other JSON in small pieces")
    }

    private static func exposition(
        _ snapshot: FamilySnapshot, _ filter: SeriesFilter?, chunk: Int
    ) throws(Finding) -> [UInt8] {
        var cursor = ExpositionCursor(snapshot: snapshot, filter: filter, extraFamilies: [])
        return try SpanBytes.collected(chunk) { cursor.render(into: &$0) }
    }

    /// Lines that a filter has let through name its pod and role, and no other.
    private static func checkOwn(_ text: ExpositionGrammar, _ agent: AgentSnapshot) throws(Finding) {
        for line in text.lines {
            for (name, own) in [("pod_name", agent.podName), ("node_role", agent.role)] {
                let value = line.labels.first { $0.name == name }?.value
                try hold(value.map { Array($0.utf8) } == Array(own.utf8), "\(name) of \(own) has \(line.series)")
            }
        }
    }

    private static func checkElements(_ json: [UInt8], _ agentIDs: Set<String>) throws(Finding) {
        let named = try JSONGrammar.check(json, textsOf: "agent_id")
        try hold(agentIDs.isSuperset(of: named), "elements of \(Set(named).subtracting(agentIDs)), who are not there")
    }
}

extension SpanBytes {
    static func collectedJSON(_ start: WindowsCursor, chunk: Int = 1 << 12) throws(Finding) -> [UInt8] {
        var cursor = start
        return try collected(chunk) { cursor.render(into: &$0) }
    }
}
