// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import JSONWriting
import Platform
import SwiftProtobuf

/// The answer of `/pressure-profiles`: the captures that agents have on disk, newest first.
public struct PressureReport: Sendable {
    /// The captures of one agent: a whole round of its answers.
    public struct List: Sendable {
        public var reporter: ReportingAgent
        public var records: [Banyandb_Fodc_V1_PressureProfileRecord]
        /// The agent is gone, and the proxy has the bytes.
        public var isStored: Bool

        public init(
            reporter: ReportingAgent, records: [Banyandb_Fodc_V1_PressureProfileRecord], isStored: Bool = false
        ) {
            self.reporter = reporter
            self.records = records
            self.isStored = isStored
        }
    }

    private struct Capture {
        var reporter: ReportingAgent
        var record: Banyandb_Fodc_V1_PressureProfileRecord
        var isStored: Bool

        var capturedAt: Google_Protobuf_Timestamp { record.hasCapturedAt ? record.capturedAt : .zeroOfGo }

        func comes(before other: Capture) -> Bool {
            if capturedAt != other.capturedAt { return other.capturedAt.isBefore(capturedAt) }
            return (reporter.podName, record.profileID, reporter.agentID)
                < (other.reporter.podName, other.record.profileID, other.reporter.agentID)
        }
    }

    public let json: [UInt8]
    /// Records without a `profile_id`, by which they are downloaded.
    public let droppedRecords: Int

    private struct Key: Hashable {
        var agentID: String
        var profileID: ExactText
    }

    /// Of several records of one agent and `profile_id` the last counts.
    public init(lists: [List]) {
        var dropped = 0
        var byKey: [Key: Capture] = [:]
        for list in lists {
            for record in list.records {
                guard !record.profileID.isEmpty else {
                    dropped += 1
                    continue
                }
                byKey[Key(agentID: list.reporter.agentID, profileID: ExactText(record.profileID))] = Capture(
                    reporter: list.reporter, record: record, isStored: list.isStored)
            }
        }
        droppedRecords = dropped
        var captures = Array(byKey.values)
        captures.sort { $0.comes(before: $1) }
        var json = JSONWriter()
        json.array(captures) { json, capture in json.object { Self.append(capture, to: &$0) } }
        self.json = json.bytes
    }

    private static func append(_ capture: Capture, to json: inout JSONWriter) {
        json.member("captured_at", capture.capturedAt)
        json.member("agent_id", capture.reporter.agentID)
        json.member("pod_name", capture.reporter.podName)
        json.member("role", capture.reporter.role)
        json.member("profile_id", capture.record.profileID)
        json.member("source_endpoint", capture.record.sourceEndpoint)
        json.member("profiles", list: capture.record.profiles) { json, profile in
            json.object {
                $0.member("type", profile.type)
                $0.member("filename", profile.filename)
                $0.member("filepath", profile.filepath)
                $0.member("format", profile.format)
                $0.member("size_bytes", profile.sizeBytes)
            }
        }
        json.member("rss_bytes", capture.record.rssBytes)
        json.member("cgroup_limit_bytes", capture.record.cgroupLimitBytes)
        json.member("threshold_bytes", capture.record.thresholdBytes)
        json.member("trigger_percent", capture.record.triggerPercent)
        if capture.isStored { json.member("stored", true) }
    }
}
