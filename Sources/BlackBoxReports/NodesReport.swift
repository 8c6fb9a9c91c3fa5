// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import JSONWriting

/// The answer of `/black-box`: the nodes that are known, live and gone.
public enum NodesReport {
    public static func json(_ reader: BlackBoxReader) throws(DatabaseError) -> [UInt8] {
        let overviews = try reader.overviews()
        let usedBytes = try reader.usedBytes()
        let incidents = try reader.incidents(IncidentQuery()).total
        var json = JSONWriter()
        json.object { json in
            json.member("bytes", usedBytes)
            json.member("incidents", incidents)
            json.member("nodes", list: overviews) { json, overview in
                json.object { append(overview, to: &$0) }
            }
        }
        return json.bytes
    }

    private static func append(_ overview: NodeOverview, to json: inout JSONWriter) {
        let node = overview.node
        json.identity(of: node)
        json.member("gone_count", node.goneCount)
        json.member("container_names") { $0.raw(Array(node.containerNamesJSON.utf8)) }
        json.member("labels") { $0.raw(Array(node.labelsJSON.utf8)) }
        json.member("address", node.address)
        json.member("first_seen", nanoseconds: node.firstSeenNanoseconds)
        json.member("last_seen", nanoseconds: node.lastSeenNanoseconds)
        json.member("first_sample", nanoseconds: overview.extent?.firstNanoseconds)
        json.member("last_sample", nanoseconds: overview.extent?.lastNanoseconds)
        json.member("series", overview.seriesCount)
        json.member("samples", overview.extent?.sampleCount ?? 0)
        json.member("bytes", overview.extent?.byteCount ?? 0)
        json.member("incidents", overview.incidentCount)
    }
}
