// SPDX-License-Identifier: Apache-2.0
import Platform

/// Decides what is one incident. Pure: what happened goes in with its time, changes of the list of incidents come out.
///
/// | what happens | no incident of the kind and subject | closed, less than ``quietNanoseconds`` ago | open |
/// |---|---|---|---|
/// | a condition begins | opened | open again, counted | nothing: it is known |
/// | a condition ends | nothing | nothing | closed |
/// | an event | opened and closed | counted | counted |
///
/// So a node that flaps is one incident with a count.
public struct IncidentTracker: Sendable {
    public struct Subject: Hashable, Sendable {
        public var kind: IncidentKind
        /// A pod, a group of schemas, a worker.
        public var name: String

        public init(_ kind: IncidentKind, _ name: String) {
            (self.kind, self.name) = (kind, name)
        }
    }

    /// The details of an event: the node, the cause and the last sample.
    public struct Report: Equatable, Sendable {
        public var nodeID: Int64?
        public var podName = ""
        public var role = ""
        public var cause: String
        public var lastSampleNanoseconds: Int64?

        public init(
            nodeID: Int64? = nil, podName: String = "", role: String = "", cause: String,
            lastSampleNanoseconds: Int64? = nil
        ) {
            self.nodeID = nodeID
            self.podName = podName
            self.role = role
            self.cause = cause
            self.lastSampleNanoseconds = lastSampleNanoseconds
        }
    }

    public enum Change: Equatable, Sendable {
        case opened(Incident)
        /// It happened again, was opened again, or is closed.
        case updated(Incident)

        public var incident: Incident {
            switch self {
            case .opened(let incident), .updated(let incident): incident
            }
        }
    }

    /// An event that recurs within this time belongs to the same incident.
    public static let quietNanoseconds: Int64 = 600_000_000_000
    /// Incidents that are followed at a time, so that a hostile agent cannot fill memory: those that have been quiet for the
    /// longest are forgotten, and what happens to them next is another incident.
    static let maximumFollowed = 4096

    private var followed: [Subject: Incident] = [:]
    private var nextDistinction: UInt16

    /// - Parameters:
    ///   - incidents: of a predecessor; the newest of a kind and subject counts.
    ///   - distinction: any number, best a random one.
    public init(continuing incidents: [Incident] = [], distinction: UInt16 = 0) {
        nextDistinction = distinction
        for incident in incidents {
            let subject = Subject(incident.kind, incident.subject)
            if let known = followed[subject], known.lastAtNanoseconds > incident.lastAtNanoseconds { continue }
            followed[subject] = incident
        }
    }

    public func isOpen(_ subject: Subject) -> Bool {
        followed[subject].map { $0.closedAtNanoseconds == nil } ?? false
    }

    /// Subjects of a kind whose incidents are open.
    public func openSubjects(of kind: IncidentKind) -> [String] {
        followed.filter { $0.key.kind == kind && $0.value.closedAtNanoseconds == nil }.map(\.key.name)
    }

    /// Something began to be wrong.
    public mutating func begin(_ subject: Subject, _ report: Report, at time: Int64) -> Change? {
        guard !isOpen(subject) else { return nil }
        return happen(subject, report, at: time, isOver: false)
    }

    /// Closes the open incident of a subject; `nil` if none is open.
    public mutating func end(_ subject: Subject, at time: Int64) -> Change? {
        guard var incident = followed[subject], incident.closedAtNanoseconds == nil else { return nil }
        incident.closedAtNanoseconds = max(time, incident.openedAtNanoseconds)
        incident.lastAtNanoseconds = max(time, incident.lastAtNanoseconds)
        followed[subject] = incident
        return .updated(incident)
    }

    /// Something happened at one moment.
    public mutating func happen(_ subject: Subject, _ report: Report, at time: Int64) -> Change {
        happen(subject, report, at: time, isOver: true)
    }

    private mutating func happen(_ subject: Subject, _ report: Report, at time: Int64, isOver: Bool) -> Change {
        // A clock that was set back makes the distance negative: that is no pause.
        if var known = followed[subject],
            known.closedAtNanoseconds == nil
                || time.subtractingClamped(known.lastAtNanoseconds) < Self.quietNanoseconds
        {
            known.occurrenceCount = min(known.occurrenceCount.addingClamped(1), Incident.mostOccurrences)
            known.cause = report.cause
            known.lastAtNanoseconds = max(time, known.lastAtNanoseconds)
            known.closedAtNanoseconds = isOver ? known.lastAtNanoseconds : nil
            known.lastSampleNanoseconds = report.lastSampleNanoseconds ?? known.lastSampleNanoseconds
            followed[subject] = known
            return .updated(known)
        }
        let incident = Incident(
            id: Incident.id(openedAtNanoseconds: time, distinction: nextDistinction), kind: subject.kind,
            subject: subject.name, nodeID: report.nodeID, podName: report.podName, role: report.role,
            openedAtNanoseconds: time, lastAtNanoseconds: time, closedAtNanoseconds: isOver ? time : nil,
            occurrenceCount: 1, cause: report.cause, lastSampleNanoseconds: report.lastSampleNanoseconds)
        nextDistinction &+= 1
        followed[subject] = incident
        if followed.count > Self.maximumFollowed { forgetQuietest() }
        return .opened(incident)
    }

    private mutating func forgetQuietest() {
        let byAge = followed.sorted { $0.value.lastAtNanoseconds > $1.value.lastAtNanoseconds }
        followed = Dictionary(uniqueKeysWithValues: byAge.prefix(Self.maximumFollowed / 2).map { ($0.key, $0.value) })
    }
}
