// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import JSONWriting
import Platform
import SwiftProtobuf

/// The answer of `/diagnostics`: crash records, newest first.
public struct DiagnosticsReport: Sendable {
    /// Of each agent the newest that many are kept.
    public static let recordsPerAgent = 64

    public struct Record: Sendable {
        public var reporter: ReportingAgent
        public var message: Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest
        /// Wall clock, nanoseconds since the epoch.
        public var receivedAtNanoseconds: Int64

        public init(
            reporter: ReportingAgent, message: Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest,
            receivedAtNanoseconds: Int64
        ) {
            self.reporter = reporter
            self.message = message
            self.receivedAtNanoseconds = receivedAtNanoseconds
        }

        fileprivate var fetchedAt: Google_Protobuf_Timestamp {
            message.hasFetchedAt ? message.fetchedAt : .zeroOfGo
        }

        /// Of equal times in the order of pod, directory and agent, so that the order is always the same.
        fileprivate func comes(before other: Record) -> Bool {
            if fetchedAt != other.fetchedAt { return other.fetchedAt.isBefore(fetchedAt) }
            return (reporter.podName, message.artifactDir, reporter.agentID)
                < (other.reporter.podName, other.message.artifactDir, other.reporter.agentID)
        }
    }

    private struct Key: Hashable {
        var agentID: String
        var artifactDir: ExactText
    }

    public let json: [UInt8]
    /// Records without an `artifact_dir`, by which an agent's records are told apart.
    public let droppedRecords: Int

    /// Of several records of one agent and `artifact_dir` the one that came last counts.
    public init(records: [Record]) {
        // By index: records are large, and moving them about would be much of the work.
        let named = records.indices.filter { !records[$0].message.artifactDir.isEmpty }
        droppedRecords = records.count - named.count
        var latest: [Key: Int] = [:]
        for index in named {
            let folder = ExactText(records[index].message.artifactDir)
            let key = Key(agentID: records[index].reporter.agentID, artifactDir: folder)
            let known = latest[key].map { records[$0].receivedAtNanoseconds }
            if let known, known > records[index].receivedAtNanoseconds { continue }
            latest[key] = index
        }
        var countByAgent: [String: Int] = [:]
        let shown = latest.values.sorted { records[$0].comes(before: records[$1]) }.filter {
            countByAgent[records[$0].reporter.agentID, default: 0] += 1
            return countByAgent[records[$0].reporter.agentID, default: 0] <= Self.recordsPerAgent
        }
        var json = JSONWriter()
        json.array(shown) { json, index in json.object { Self.append(records[index], to: &$0) } }
        self.json = json.bytes
    }

    private static func append(_ record: Record, to json: inout JSONWriter) {
        let message = record.message
        json.member("fetched_at", record.fetchedAt)
        if message.hasPanicRecord {
            json.member("panic_record") { $0.object { append(message.panicRecord, to: &$0) } }
        }
        json.member("agent_id", record.reporter.agentID)
        json.member("pod_name", record.reporter.podName)
        json.member("role", record.reporter.role)
        json.member("source_endpoint", message.sourceEndpoint)
        json.member("artifact_dir", message.artifactDir)
        if !message.files.isEmpty { json.member("files", message.files) }
    }

    private static func append(_ panic: Banyandb_Fodc_V1_CrashPanicRecord, to json: inout JSONWriter) {
        json.member("component", panic.component)
        if !panic.goroutineStack.isEmpty { json.member("goroutine_stack", panic.goroutineStack) }
        json.member("panic_value", panic.panicValue)
        json.member("occurred_at", panic.hasOccurredAt ? panic.occurredAt : .zeroOfGo)
        if !panic.processMetadata.isEmpty { json.member("process_metadata", panic.processMetadata) }
        if !panic.breadcrumbs.isEmpty {
            json.member("breadcrumbs", list: panic.breadcrumbs) { json, crumb in json.object { append(crumb, to: &$0) }
            }
        }
        json.member("recovered", panic.recovered)
    }

    private static func append(_ crumb: Banyandb_Fodc_V1_CrashBreadcrumb, to json: inout JSONWriter) {
        json.member("occurred_at", crumb.hasTime ? crumb.time : .zeroOfGo)
        if !crumb.fields.isEmpty { json.member("fields", crumb.fields) }
        json.member("stage", crumb.stage)
        if !crumb.component.isEmpty { json.member("component", crumb.component) }
    }
}
