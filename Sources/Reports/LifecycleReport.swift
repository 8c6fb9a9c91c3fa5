// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import JSONWriting
import Platform

/// The answer of `/cluster/lifecycle`: the agents' groups as one list, with the proxy's verdict on their schema.
public struct LifecycleReport: Sendable {
    public struct Answer: Sendable {
        public var reporter: ReportingAgent
        public var message: Banyandb_Fodc_V1_StreamLifecycleRequest
        /// Wall clock, nanoseconds since the epoch.
        public var receivedAtNanoseconds: Int64

        public init(
            reporter: ReportingAgent, message: Banyandb_Fodc_V1_StreamLifecycleRequest, receivedAtNanoseconds: Int64
        ) {
            self.reporter = reporter
            self.message = message
            self.receivedAtNanoseconds = receivedAtNanoseconds
        }
    }

    /// Of how many agents what came.
    public struct ResponseCounts: Equatable, Sendable {
        /// Listed in the registry.
        public var registered: Int
        /// Of those the ones that have the stream, and so were asked.
        public var requested: Int
        public var responded: Int

        public init(registered: Int, requested: Int, responded: Int) {
            self.registered = registered
            self.requested = requested
            self.responded = responded
        }

        /// Why there is nothing to show.
        var error: String? {
            if registered == 0 { return "FODC unavailable: no agents registered" }
            if requested == 0 {
                return "FODC unavailable: 0/\(registered) registered agents support the lifecycle stream"
            }
            return responded == 0 ? "FODC unavailable: 0/\(requested) requested agents responded" : nil
        }
    }

    private let responseCounts: ResponseCounts
    private var groups: [ExactText: UnitedGroup] = [:]
    private var statuses: [(reporter: ReportingAgent, reports: [Banyandb_Fodc_V1_LifecycleReport])] = []
    /// By group, of those for which an agent sent any.
    private var fingerprints: [ExactText: ReportedSchema] = [:]
    /// Groups without a name.
    public private(set) var droppedGroups = 0
    /// Fingerprints without node, kind or name.
    public var droppedFingerprints: Int { fingerprints.values.reduce(0) { $0 + $1.droppedRecords } }

    public init(answers: [Answer], responseCounts: ResponseCounts) {
        self.responseCounts = responseCounts
        // Of answers of one moment in the order of the agents, so that the outcome never depends on chance.
        let byTime = answers.sorted {
            ($0.receivedAtNanoseconds, $0.reporter.agentID) < ($1.receivedAtNanoseconds, $1.reporter.agentID)
        }
        for answer in byTime { add(answer) }
        statuses.sort { ($0.reporter.podName, $0.reporter.agentID) < ($1.reporter.podName, $1.reporter.agentID) }
    }

    private mutating func add(_ answer: Answer) {
        let data = answer.message.lifecycleData
        if !data.reports.isEmpty { statuses.append((answer.reporter, data.reports)) }
        for group in data.groups {
            guard !group.name.isEmpty else {
                droppedGroups += 1
                continue
            }
            add(group, of: answer.reporter)
        }
    }

    private mutating func add(_ sent: Banyandb_Fodc_V1_GroupLifecycleInfo, of reporter: ReportingAgent) {
        let name = ExactText(sent.name)
        if sent.hasSchemaConsistency {
            fingerprints[name, default: ReportedSchema()].add(sent.schemaConsistency)
        }
        groups[name, default: UnitedGroup()].add(sent, of: reporter)
    }

    /// Puts in the verdicts on this collection.
    public mutating func judge(by consistency: inout SchemaConsistency, registry: RegistryOutcome) {
        let judgements = consistency.evaluate(
            fingerprints, registry: registry, hasEverybodyAnswered: responseCounts.responded >= responseCounts.requested
        )
        for (name, judgement) in judgements {
            groups[name]?.verdict = judgement.verdict
            groups[name]?.errors.formUnion(judgement.errors.map { ExactText($0) })
        }
    }

    public var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.member("groups", list: groups.sorted { $0.key < $1.key }) { json, group in
                json.group(group.value.info(name: group.key.text))
            }
            json.member("lifecycle_statuses", list: statuses) { json, status in
                json.object {
                    $0.member("pod_name", status.reporter.podName)
                    $0.member("reports", list: status.reports) { $0.report($1) }
                }
            }
            json.member("agent_summary") { json in
                json.object {
                    $0.member("total", responseCounts.registered)
                    $0.member("requested", responseCounts.requested)
                    $0.member("responded", responseCounts.responded)
                    $0.member("not_responded", max(0, responseCounts.requested - responseCounts.responded))
                }
            }
            if let error = responseCounts.error { json.member("error", error) }
        }
        return json.bytes
    }
}
