// SPDX-License-Identifier: Apache-2.0

import Calendar
import FODCProtocol
import JSONWriting

/// The report that the container that moves old segments to the next stage leaves on its node's disk: a file of JSON a day.
enum MigrationReport {
    /// Older files have been removed.
    static let keptDays = 3
    /// Migrations run at night.
    private static let startOfRunSeconds: Int64 = 2 * 3600

    /// Newest first; none on nodes without that container.
    static func reports(
        of node: ClusterNode, to target: ClusterNode?, _ catalogue: SchemaCatalogue, nowSeconds: Int64
    ) -> [Banyandb_Fodc_V1_LifecycleReport] {
        guard node.identity.containerNames.contains("lifecycle"), let target else { return [] }
        let today = max(nowSeconds, ValueModel.originSeconds) / CivilTime.secondsPerDay * CivilTime.secondsPerDay
        return (1...keptDays).map { age in
            let day = today - Int64(age) * CivilTime.secondsPerDay
            var report = Banyandb_Fodc_V1_LifecycleReport()
            report.filename = "\(CivilTime(secondsSinceEpoch: day).dashedDay).json"
            report.reportJson = json(node, target, catalogue, startSeconds: day + startOfRunSeconds)
            return report
        }
    }

    /// Names in it are this program's own, but for the pods' prefix, which is escaped.
    private static func json(
        _ node: ClusterNode, _ target: ClusterNode, _ catalogue: SchemaCatalogue, startSeconds: Int64
    ) -> String {
        var lastSeconds = startSeconds
        let groups = catalogue.groups.map { group in
            let key = StableHash.key("\(node.id)/\(group.name)/\(startSeconds)/moved", seed: catalogue.seed)
            let starts = StoredData.segmentStarts(of: node.identity.kind, group, nowSeconds: startSeconds)
            let moved = CivilTime(secondsSinceEpoch: (starts.last ?? startSeconds) - CivilTime.secondsPerDay)
            lastSeconds += 20 + Int64(key % 300)
            return """
                    {
                      "group": \(quoted(group.name)),
                      "catalog": \(quoted(group.catalog)),
                      "segments": [\(quoted("seg-\(moved.compactDay)"))],
                      "parts_total": \(4 + key % 9),
                      "parts_completed": \(4 + key % 9),
                      "bytes_sent": \(40_000_000 + key % 90_000_000),
                      "errors": []
                    }
                """
        }
        return """
            {
              "node": \(quoted(node.id)),
              "target": \(quoted(target.id)),
              "from_stage": \(quoted(node.identity.kind.rawValue)),
              "to_stage": \(quoted(target.identity.kind.rawValue)),
              "started_at": \(quoted(RFC3339.text(seconds: startSeconds))),
              "finished_at": \(quoted(RFC3339.text(seconds: lastSeconds))),
              "status": "completed",
              "groups": [
            \(groups.joined(separator: ",\n"))
              ]
            }
            """
    }

    private static func quoted(_ text: String) -> String {
        var json: [UInt8] = []
        JSONText.append(text, to: &json)
        return String(decoding: json, as: UTF8.self)
    }
}
