// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import RingMessages
import Rings

/// Presence of nodes: registrations, disconnections and the incidents that they open.
extension Recorder {
    /// After a start, for nodes that are not there yet: agents reconnect within seconds.
    private static let reconnectNanoseconds: UInt64 = 30_000_000_000

    func restoreNodes(_ store: BlackBoxStore) throws(DatabaseError) {
        let known = try store.nodes()
        for node in known {
            nodes[node.id] = KnownNode(
                podName: node.podName, role: node.role, subject: Self.subject(node.podName, node.containerNamesJSON),
                worker: -1)
            if let id = AgentID(node.agentID) { nodesByAgent[id] = node.id }
        }
        presence.restore(
            gone: known.filter { $0.goneAtNanoseconds != nil }.map(\.id),
            others: known.filter { $0.goneAtNanoseconds == nil }.map(\.id),
            now: monotonic() + Self.reconnectNanoseconds, wallNow: wall())
    }

    /// Pods have one agent as a rule, and are named alone then.
    private static func subject(_ podName: String, _ containersJSON: String) -> String {
        containersJSON == "[]" ? podName : "\(podName) \(containersJSON)"
    }

    /// The node of an agent; `nil` as long as its identity cannot be read.
    func node(
        of agent: FollowedAgent, in ring: FollowedRing, _ store: BlackBoxStore
    ) throws(DatabaseError) -> Int64? {
        // Streams of an agent that is registered at another worker.
        guard agent.entry.status != .remote else { return nodesByAgent[agent.entry.id] }
        if let node = agent.node, agent.identityPosition == agent.entry.identityPosition { return node }
        guard let identity = ring.identity(of: agent) else { return agent.node }
        agent.identityPosition = agent.entry.identityPosition
        // A copy further on says the same.
        if let node = agent.node, agent.identity == identity { return node }
        let record = NodeRecord(identity)
        let id = try store.storeNode(record, seenAtNanoseconds: wall())
        isChanged = true
        agent.node = id
        agent.identity = identity
        nodesByAgent[identity.id] = id
        var known =
            nodes[id]
            ?? KnownNode(podName: identity.identity.podName, role: identity.role, subject: "", worker: ring.worker)
        known.role = identity.role
        known.worker = ring.worker
        known.subject = Self.subject(known.podName, record.containerNamesJSON)
        nodes[id] = known
        return id
    }

    func notePresence(_ store: BlackBoxStore) throws(DatabaseError) {
        let now = monotonic()
        var present: Set<Int64> = []
        var quarantined: Set<String> = []
        for ring in rings.values {
            noteDepartures(ring)
            for agent in ring.agents.values {
                guard agent.entry.status == .online || agent.entry.quarantinedUntilNanoseconds > now,
                    let node = try node(of: agent, in: ring, store)
                else { continue }
                if agent.entry.status == .online { present.insert(node) }
                if agent.entry.quarantinedUntilNanoseconds > now, let known = nodes[node] {
                    quarantined.insert(known.subject)
                    try begin(.agentQuarantined, node, known, "it is quarantined: it registers again and again", store)
                }
            }
        }
        for subject in tracker.openSubjects(of: .agentQuarantined) where !quarantined.contains(subject) {
            try end(.agentQuarantined, subject, store)
        }
        for node in present {
            nodes[node]?.departure = .unknown
            nodes[node]?.departureSinceNanoseconds = lookedAtNanoseconds
        }
        let changes = presence.update(present: present, now: now, wallNow: wall()) { lossCause(of: $0) }
        for change in changes {
            guard let known = nodes[change.node] else { continue }
            isChanged = true
            switch change {
            case .gone(let node, let lostAt, let cause):
                try store.noteNodeGone(node, atNanoseconds: lostAt, cause: cause)
                try begin(.nodeGone, node, known, "registration lost: \(cause.rawValue)", store, at: lostAt)
            case .back(let node):
                try store.noteNodeBack(node, atNanoseconds: wall())
                try end(.nodeGone, known.subject, store)
            }
        }
    }

    /// Notes what a ring says about agents that are not online.
    private func noteDepartures(_ ring: FollowedRing) {
        for agent in ring.agents.values where agent.entry.departure != .unknown {
            guard let node = agent.node ?? nodesByAgent[agent.entry.id] else { continue }
            note(agent.entry.departure, of: node, since: agent.entry.statusSinceNanoseconds)
        }
        let now = monotonic()
        for (node, cause) in ring.takeDepartures() where cause != .unknown { note(cause, of: node, since: now) }
    }

    /// An agent that has moved between workers stands in several rings: the newest word counts.
    private func note(_ cause: DepartureCause, of node: Int64, since: UInt64) {
        guard var known = nodes[node], since >= known.departureSinceNanoseconds else { return }
        known.departure = cause
        known.departureSinceNanoseconds = since
        nodes[node] = known
    }

    /// Why a node is not registered any more.
    private func lossCause(of node: Int64) -> NodeLossCause {
        guard let known = nodes[node] else { return .unknown }
        if let cause = NodeLossCause(known.departure) { return cause }
        guard let control, known.worker >= 0,
            workerEnds.hasCrashed(known.worker, within: settings.graceNanoseconds, control, now: monotonic())
        else { return .unknown }
        return .workerCrashed
    }

    func noteWorkerEnds(_ store: BlackBoxStore) throws(DatabaseError) {
        guard let control else { return }
        for end in workerEnds.update(control) {
            let change = tracker.happen(
                .init(.workerCrashed, end.name), .init(cause: "\(end.name) ended: \(end.cause)"), at: wall())
            try keep(change, node: nil, store)
        }
    }

    // MARK: Incidents

    func report(
        _ kind: IncidentKind, _ node: Int64, _ known: KnownNode, _ cause: String, _ store: BlackBoxStore, at time: Int64
    ) throws(DatabaseError) {
        let report = try self.report(node, known, cause, store)
        try keep(tracker.happen(.init(kind, known.subject), report, at: time), node: node, store)
    }

    private func begin(
        _ kind: IncidentKind, _ node: Int64, _ known: KnownNode, _ cause: String, _ store: BlackBoxStore,
        at time: Int64? = nil
    ) throws(DatabaseError) {
        guard !tracker.isOpen(.init(kind, known.subject)) else { return }
        let report = try self.report(node, known, cause, store)
        guard let change = tracker.begin(.init(kind, known.subject), report, at: time ?? wall()) else { return }
        try keep(change, node: node, store)
    }

    private func end(_ kind: IncidentKind, _ subject: String, _ store: BlackBoxStore) throws(DatabaseError) {
        guard let change = tracker.end(.init(kind, subject), at: wall()) else { return }
        try keep(change, node: nil, store)
    }

    private func report(
        _ node: Int64, _ known: KnownNode, _ cause: String, _ store: BlackBoxStore
    ) throws(DatabaseError) -> IncidentTracker.Report {
        .init(
            nodeID: node, podName: known.podName, role: known.role, cause: cause,
            lastSampleNanoseconds: try store.lastSampleNanoseconds(of: node))
    }

    func keep(_ change: IncidentTracker.Change, node: Int64?, _ store: BlackBoxStore) throws(DatabaseError) {
        isChanged = true
        let incident = change.incident
        try store.storeIncident(
            incident,
            neighbours: try node.map { node throws(DatabaseError) in
                try neighbours(of: node, store)
            } ?? [])
        guard case .opened = change else { return }
        count { $0.incidents[incident.kind, default: 0] += 1 }
        logger.warning(
            "an incident was opened",
            metadata: [
                "incident": "\(incident.id)", "kind": "\(incident.kind.rawValue)", "subject": "\(incident.subject)",
                "reason": "\(incident.cause)",
            ])
    }

    /// Nodes that a node talks to, as its last topology says.
    private func neighbours(of node: Int64, _ store: BlackBoxStore) throws(DatabaseError) -> [Int64] {
        guard let known = nodes[node],
            let topology = try store.latestState(of: node, kind: AgentStream.topology.name)
        else { return [] }
        let pods = Set(RecordedMessages.neighbours(of: known.podName, in: topology.message))
        return nodes.filter { pods.contains($0.value.podName) }.map(\.key)
    }
}
