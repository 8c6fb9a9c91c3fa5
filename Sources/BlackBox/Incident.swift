// SPDX-License-Identifier: Apache-2.0
import Calendar

/// The kinds of incidents; the raw value is what is stored, shown and asked for.
public enum IncidentKind: String, CaseIterable, Sendable {
    /// An agent's registration was lost, and it was not back in time.
    case nodeGone = "node-gone"
    /// The process of a node began anew.
    case nodeRestarted = "node-restarted"
    /// An agent has a crash record that was not known.
    case crash
    /// A node came near its memory limit, and its agent has taken profiles.
    case memoryPressure = "memory-pressure"
    /// Nodes of a group hold another schema than the registry.
    case schemaInconsistent = "schema-inconsistent"
    /// An agent is quarantined, because it has killed ingest workers or registers again and again.
    case agentQuarantined = "agent-quarantined"
    /// A process of this proxy ended without being told to.
    case workerCrashed = "worker-crashed"
}

/// Something that happened for the first time, or again after a while. Times are nanoseconds since the epoch.
public struct Incident: Equatable, Sendable {
    /// Names of incidents sort as the times at which they were opened.
    public var id: String
    public var kind: IncidentKind
    /// The node or component that the incident concerns. Incidents of one kind and subject that follow each other
    /// closely are one.
    public var subject: String
    /// The node in the black box, for those that are a node's.
    public var nodeID: Int64?
    public var podName: String
    public var role: String
    public var openedAtNanoseconds: Int64
    /// When it began, happened again or ended last.
    public var lastAtNanoseconds: Int64
    /// When what was wrong had ended; `nil`: it has not.
    public var closedAtNanoseconds: Int64?
    /// 1 to ``mostOccurrences``.
    public var occurrenceCount: Int
    public var cause: String
    public var lastSampleNanoseconds: Int64?

    /// Counting ends there: a thousand events a second for 49 days. Sums over all incidents stay far inside of 64 bits.
    public static let mostOccurrences = Int(UInt32.max)

    /// - Parameter distinction: tells incidents of one millisecond apart.
    static func id(openedAtNanoseconds time: Int64, distinction: UInt16) -> String {
        let digits = String(distinction, radix: 16)
        return CompactTime.text(EpochTime(nanosecondsSinceEpoch: time), fraction: .milliseconds) + "-"
            + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
