// SPDX-License-Identifier: Apache-2.0
import BlackBox
import BlackBoxReports
import Database
import Platform

/// A question whose answer is JSON of moderate size.
enum BlackBoxQuestion: Hashable, Sendable {
    case nodes
    case summary(BlackBoxRange)
    case incidents(IncidentQuery)
    case incident(String)
    case changes(incident: String)

    /// On the thread of questions.
    func json(_ reader: BlackBoxReader) throws(BlackBoxRefusal) -> [UInt8] {
        do throws(DatabaseError) {
            switch self {
            case .nodes: return try NodesReport.json(reader)
            case .incidents(let query): return try IncidentsReport.json(query, reader)
            case .incident(let id):
                if let json = try IncidentsReport.json(ofIncident: id, reader) { return json }
            case .changes(let id):
                if let json = try ChangesReport.json(ofIncident: id, reader) { return json }
            case .summary: break
            }
        } catch {
            throw BlackBoxRefusal(error)
        }
        switch self {
        case .summary(let range): return try Self.summary(range, reader)
        case .incident(let id), .changes(let id): throw .unknownIncident(id)
        default: throw .notFound("nothing is known of that")
        }
    }

    private static func summary(_ range: BlackBoxRange, _ reader: BlackBoxReader) throws(BlackBoxRefusal) -> [UInt8] {
        let (nodes, from, until) = try range.resolved(reader)
        do throws(NodeSummary.Failure) {
            return try NodeSummary(nodes, fromNanoseconds: from, untilNanoseconds: until, reader).json
        } catch {
            switch error {
            case .database(let error): throw BlackBoxRefusal(error)
            case .tooLong:
                throw .badRequest("start and end are too far apart for a summary of this node: ask for a shorter time")
            }
        }
    }
}

extension BlackBoxRefusal {
    static func unknownIncident(_ id: String) -> BlackBoxRefusal {
        .notFound("no incident \(id.quoted()) is known; /incidents lists them")
    }
}

/// A pod and a time, as a request names them.
struct BlackBoxRange: Hashable, Sendable {
    var podName: String
    /// `nil`: 15 minutes before the end.
    var startNanoseconds: Int64?
    /// `nil`: when the last sample that is known came.
    var endNanoseconds: Int64?

    /// The pod's nodes, the oldest first, and the time that is meant.
    func resolved(
        _ reader: BlackBoxReader
    ) throws(BlackBoxRefusal) -> (nodes: [StoredNode], from: Int64, until: Int64) {
        do throws(DatabaseError) {
            let nodes = try reader.nodes(ofPod: podName)
            if let newest = nodes.last {
                let last = try reader.extent(of: nodes)?.lastNanoseconds ?? newest.lastSeenNanoseconds
                let until = endNanoseconds ?? max(last, startNanoseconds ?? last)
                let standard = until.subtractingClamped(BlackBoxReader.defaultRangeNanoseconds)
                return (nodes, startNanoseconds ?? standard, until)
            }
        } catch {
            throw BlackBoxRefusal(error)
        }
        throw .notFound("the black box knows no pod \(podName.quoted()); /black-box lists those that it knows")
    }
}
