// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Calendar
import Database
import JSONWriting

/// The answers of `/incidents` and `/incidents/{id}`.
public enum IncidentsReport {
    /// The newest first.
    public static func json(_ query: IncidentQuery, _ reader: BlackBoxReader) throws(DatabaseError) -> [UInt8] {
        let (found, total) = try reader.incidents(query)
        var json = JSONWriter()
        json.object { json in
            json.member("total", total)
            json.member("incidents", list: found) { json, incident in json.object { append(incident, to: &$0) } }
        }
        return json.bytes
    }

    /// One incident with what was kept for it; `nil` when it is not known.
    public static func json(ofIncident id: String, _ reader: BlackBoxReader) throws(DatabaseError) -> [UInt8]? {
        guard let incident = try reader.incident(id) else { return nil }
        let kept = try reader.keptSamples(of: incident)
        var extents: [Int64: BlackBoxReader.SampleExtent] = [:]
        for samples in kept { extents[samples.node.id] = try reader.extent(of: samples.node.id) }
        var profiles: [StoredProfile] = []
        var crashes = 0
        if let node = incident.nodeID {
            profiles = try IncidentBundle.profiles(of: incident, node, reader)
            crashes = try reader.crashRecords(of: node, limit: IncidentBundle.crashRecordLimit).count
        }
        var json = JSONWriter()
        json.object { json in
            append(incident, to: &json)
            json.member("kept", list: kept) { json, samples in
                json.object { json in
                    json.identity(of: samples.node)
                    json.member("from", nanoseconds: samples.fromNanoseconds)
                    json.member("until", nanoseconds: samples.untilNanoseconds)
                    json.member("first_sample", nanoseconds: extents[samples.node.id]?.firstNanoseconds)
                    json.member("last_sample", nanoseconds: extents[samples.node.id]?.lastNanoseconds)
                }
            }
            json.member("crash_records", crashes)
            json.member("profiles", list: profiles) { json, profile in
                json.object { append(profile, podName: incident.podName, to: &$0) }
            }
            json.member("links") { $0.object { appendLinks(of: incident, to: &$0) } }
        }
        return json.bytes
    }

    static func append(_ incident: Incident, to json: inout JSONWriter) {
        json.member("id", incident.id)
        json.member("kind", incident.kind.rawValue)
        json.member("subject", incident.subject)
        json.member("pod_name", incident.podName)
        json.member("role", incident.role)
        json.member("opened_at", nanoseconds: incident.openedAtNanoseconds)
        json.member("last_at", nanoseconds: incident.lastAtNanoseconds)
        json.member("closed_at", nanoseconds: incident.closedAtNanoseconds)
        json.member("count", incident.occurrenceCount)
        json.member("cause", incident.cause)
        json.member("last_sample", nanoseconds: incident.lastSampleNanoseconds)
    }

    private static func append(_ profile: StoredProfile, podName: String, to json: inout JSONWriter) {
        json.member("profile_id", profile.profileID)
        json.member("type", profile.type)
        json.member("captured_at", nanoseconds: profile.capturedAtNanoseconds)
        json.member("size_bytes", optional: profile.byteCount) { $0.number($1) }
        json.member("stored", profile.byteCount != nil)
        let parts = [podName, profile.profileID, profile.type].map(PathPart.encoded)
        json.member("href", "/pressure-profiles/\(parts.joined(separator: "/"))")
    }

    /// Paths of the exporter.
    private static func appendLinks(of incident: Incident, to json: inout JSONWriter) {
        json.member("bundle", "/incidents/\(PathPart.encoded(incident.id))/bundle")
        guard incident.nodeID != nil else { return }
        let pin = IncidentPin(incident)
        let times = [pin.fromNanoseconds, pin.untilNanoseconds].map {
            RFC3339.text(EpochTime(nanosecondsSinceEpoch: $0), fraction: .milliseconds)
        }
        let pod = "/black-box/\(PathPart.encoded(incident.podName))"
        json.member("samples", "\(pod)?start=\(times[0])&end=\(times[1])")
        json.member("summary", "\(pod)/summary?start=\(times[0])&end=\(times[1])")
    }
}
