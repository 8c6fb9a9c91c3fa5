// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Calendar
import Database
import FODCProtocol
import JSONWriting
import Reports
import SwiftProtobuf

/// The answer of `/incidents/{id}/changes`: what of the configuration, the topology and the schema has changed around an
/// incident, as the nodes whose samples it keeps have told it.
public enum ChangesReport {
    /// Changes in one answer, those nearest to the incident.
    static let limitChanges = 500
    /// Changes that are held in memory until the nearest are chosen.
    static let limitCompared = 50_000

    private struct Noticed {
        var atNanoseconds: Int64
        var change: StateChange
        var podNames: [String]
    }

    /// Nodes that have told the same are one entry; a node that tells it twice, since it went back between, is two.
    private struct Occurrence: Hashable {
        var change: StateChange
        var number: Int
    }

    /// `nil` when no such incident is known.
    public static func json(ofIncident id: String, _ reader: BlackBoxReader) throws(DatabaseError) -> [UInt8]? {
        guard let incident = try reader.incident(id) else { return nil }
        let pin = IncidentPin(incident)
        var collector = Collector(pin, reader)
        let isSchema = incident.kind == .schemaInconsistent
        // An incident of a group is no node's: any node may have changed.
        let nodes = try isSchema ? reader.nodes() : reader.keptSamples(of: incident).map(\.node)
        for node in nodes { try collector.add(node, group: isSchema ? incident.subject : nil) }
        try collector.addVerdicts()
        let found = collector.noticed
        let shown = nearest(found, to: incident.openedAtNanoseconds)
        var json = JSONWriter()
        json.object { json in
            json.member("from", nanoseconds: pin.fromNanoseconds)
            json.member("until", nanoseconds: pin.untilNanoseconds)
            json.member("opened_at", nanoseconds: incident.openedAtNanoseconds)
            json.member("pod_names", Set(nodes.map(\.podName)).sorted())
            json.member("is_whole", collector.isWhole)
            json.member("total", found.count)
            json.member("changes", list: shown) { json, noticed in json.object { append(noticed, to: &$0) } }
        }
        return json.bytes
    }

    private static func append(_ noticed: Noticed, to json: inout JSONWriter) {
        json.member("at", nanoseconds: noticed.atNanoseconds)
        json.member("kind") { $0.string(noticed.change.section.kind) }
        json.member("section", noticed.change.section.rawValue)
        json.member("key", noticed.change.key)
        json.member("before", optional: noticed.change.shownBefore) { $0.string($1) }
        json.member("after", optional: noticed.change.shownAfter) { $0.string($1) }
        json.member("pod_names", noticed.podNames)
    }

    /// In the order of their times.
    private static func nearest(_ found: [Noticed], to time: Int64) -> [Noticed] {
        func distance(_ noticed: Noticed) -> UInt64 {
            noticed.atNanoseconds.subtractingReportingOverflow(time).partialValue.magnitude
        }
        return found.sorted { distance($0) < distance($1) }.prefix(limitChanges).sorted { one, other in
            if one.atNanoseconds != other.atNanoseconds { return one.atNanoseconds < other.atNanoseconds }
            return StateChange.areInOrder(one.change, other.change)
        }
    }

    private struct Collector {
        private let pin: IncidentPin
        private let reader: BlackBoxReader
        private var leftBytes = BlackBoxReader.answerBytes
        private var found: [Occurrence: Noticed] = [:]

        init(_ pin: IncidentPin, _ reader: BlackBoxReader) {
            (self.pin, self.reader) = (pin, reader)
        }

        /// More changes were found than are compared with each other.
        private var isCut = false
        /// Nothing that was stored has been left out.
        var isWhole: Bool { !isCut && leftBytes >= 0 }
        var noticed: [Noticed] { Array(found.values) }

        /// - Parameter group: only the schema of this group; `nil`: everything.
        mutating func add(_ node: StoredNode, group: String?) throws(DatabaseError) {
            try add(node, "lifecycle", Banyandb_Fodc_V1_StreamLifecycleRequest.self) {
                StateFacts($0.lifecycleData, group: group)
            }
            guard group == nil else { return }
            try add(node, "configuration", Fodc_Proxy_V1_NodeConfiguration.self) { StateFacts($0) }
            try add(node, "topology", Banyandb_Fodc_V1_StreamClusterTopologyRequest.self) { StateFacts($0.topology) }
        }

        mutating func addVerdicts() throws(DatabaseError) {
            try compare(BlackBoxStore.noNode, "schema", podName: nil) { [reader] answer throws(DatabaseError) in
                StateFacts(verdicts: try reader.members(ofJSON: answer.message))
            }
        }

        private mutating func add<M: Message>(
            _ node: StoredNode, _ kind: String, _ type: M.Type, _ facts: (M) -> StateFacts
        ) throws(DatabaseError) {
            try compare(node.id, kind, podName: node.podName) { answer throws(DatabaseError) in
                StoredReports.parse(type, answer.message).map(facts)
            }
        }

        /// Compares each answer with the one before it.
        private mutating func compare(
            _ node: Int64, _ kind: String, podName: String?,
            _ facts: (StoredAnswer) throws(DatabaseError) -> StateFacts?
        ) throws(DatabaseError) {
            let answers = try reader.states(
                of: node, kind: kind, fromNanoseconds: pin.fromNanoseconds, untilNanoseconds: pin.untilNanoseconds,
                leftBytes: &leftBytes)
            var before: StateFacts?
            var numbers: [StateChange: Int] = [:]
            for answer in answers {
                guard let now = try facts(answer) else { continue }
                for change in before.map({ now.changes(since: $0) }) ?? [] {
                    numbers[change, default: 0] += 1
                    note(change, number: numbers[change, default: 0], at: answer.receivedAtNanoseconds, podName)
                }
                before = now
            }
        }

        private mutating func note(_ change: StateChange, number: Int, at time: Int64, _ podName: String?) {
            let names = podName.map { [$0] } ?? []
            let occurrence = Occurrence(change: change, number: number)
            guard var known = found[occurrence] else {
                guard found.count < ChangesReport.limitCompared else {
                    isCut = true
                    return
                }
                found[occurrence] = Noticed(atNanoseconds: time, change: change, podNames: names)
                return
            }
            known.atNanoseconds = min(known.atNanoseconds, time)
            for name in names where !known.podNames.contains(name) { known.podNames.append(name) }
            found[occurrence] = known
        }
    }
}
