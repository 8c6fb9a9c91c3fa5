// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import FODCProtocol
import Reports

/// Answers of nodes that are gone, for the reports on live ones.
public enum GoneNodes {
    /// Crash records of nodes that are gone, at most ``BlackBoxReader/answerBytes`` of them; others are left out.
    public static func crashRecords(
        _ reader: BlackBoxReader, where isWanted: (ReportingAgent) -> Bool
    ) throws(DatabaseError) -> [DiagnosticsReport.Record] {
        var found: [DiagnosticsReport.Record] = []
        var left = BlackBoxReader.answerBytes
        for node in try gone(reader, isWanted) {
            for answer in try reader.crashRecords(of: node.id, limit: DiagnosticsReport.recordsPerAgent) {
                left -= answer.message.count
                guard left >= 0 else { return found }
                if let record = StoredReports.crash(answer, node) { found.append(record) }
            }
        }
        return found
    }

    /// Captures of nodes that are gone, with those of their profiles whose bytes are stored.
    public static func profiles(
        _ reader: BlackBoxReader, where isWanted: (ReportingAgent) -> Bool
    ) throws(DatabaseError) -> [PressureReport.List] {
        var lists: [PressureReport.List] = []
        for node in try gone(reader, isWanted) {
            let stored = try reader.profiles(of: node.id).filter { $0.byteCount != nil }
            let records = Dictionary(grouping: stored, by: \.profileID).values.compactMap(record)
            guard !records.isEmpty else { continue }
            lists.append(PressureReport.List(reporter: ReportingAgent(node), records: records, isStored: true))
        }
        return lists
    }

    private static func gone(
        _ reader: BlackBoxReader, _ isWanted: (ReportingAgent) -> Bool
    ) throws(DatabaseError) -> [StoredNode] {
        try reader.nodes().filter { $0.goneAtNanoseconds != nil && isWanted(ReportingAgent($0)) }
    }

    /// The record of a capture, without profiles whose bytes are not stored.
    private static func record(_ profiles: [StoredProfile]) -> Banyandb_Fodc_V1_PressureProfileRecord? {
        guard let first = profiles.first else { return nil }
        let message = StoredReports.parse(Banyandb_Fodc_V1_StreamPressureProfilesRequest.self, first.record)
        guard var record = message?.record else { return nil }
        record.profiles.removeAll { listed in !profiles.contains { $0.type == listed.type } }
        return record
    }
}
