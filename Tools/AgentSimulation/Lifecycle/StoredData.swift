// SPDX-License-Identifier: Apache-2.0

import Calendar
import FODCProtocol

/// A data node's part of a group: segments by age and stage, shards, sizes that grow while a segment is the newest.
enum StoredData {
    static func info(
        of node: ClusterNode, _ group: SchemaGroup, seed: UInt64, nowSeconds: Int64
    ) -> Banyandb_Database_V1_DataInfo {
        var info = Banyandb_Database_V1_DataInfo()
        info.node = node.message
        info.segmentInfo = segments(of: node, group, seed: seed, nowSeconds: nowSeconds)
        info.dataSizeBytes = info.segmentInfo.reduce(0) { sum, segment in
            sum + segment.seriesIndexInfo.dataSizeBytes
                + segment.shardInfo.reduce(0) { $0 + $1.dataSizeBytes + $1.invertedIndexInfo.dataSizeBytes }
        }
        return info
    }

    /// The moments at which the node's segments of this group begin, newest first.
    static func segmentStarts(of kind: NodeKind, _ group: SchemaGroup, nowSeconds: Int64) -> [Int64] {
        let length = Int64(group.segmentDays) * CivilTime.secondsPerDay
        let newest = max(nowSeconds, ValueModel.originSeconds) / length
        let age =
            switch kind {
            case .liaison, .data, .hot: 0
            case .warm: 1
            case .cold: 2
            }
        let first = newest - Int64(age * group.segmentsPerStage)
        return (0..<Int64(group.segmentsPerStage)).map { (first - $0) * length }
    }

    private static func segments(
        of node: ClusterNode, _ group: SchemaGroup, seed: UInt64, nowSeconds: Int64
    ) -> [Banyandb_Database_V1_SegmentInfo] {
        let length = Int64(group.segmentDays) * CivilTime.secondsPerDay
        return segmentStarts(of: node.identity.kind, group, nowSeconds: nowSeconds).map { start in
            let time = CivilTime(secondsSinceEpoch: start)
            let filled = min(1, max(0, Double(nowSeconds - start) / Double(length)))
            let key = StableHash.key("\(node.id)/\(group.name)/\(start)", seed: seed)
            var segment = Banyandb_Database_V1_SegmentInfo()
            segment.segmentID = "seg-\(time.compactDay)"
            segment.timeRangeStart = RFC3339.text(seconds: start)
            segment.timeRangeEnd = RFC3339.text(seconds: start + length)
            segment.shardInfo = (0..<group.shardCount).map {
                shard($0, of: group, key: StableHash.mix(key &+ UInt64($0)), filled: filled)
            }
            segment.seriesIndexInfo.dataCount = Int64(20_000 + key % 10_000)
            segment.seriesIndexInfo.dataSizeBytes = segment.seriesIndexInfo.dataCount * 96
            return segment
        }
    }

    private static func shard(
        _ number: Int, of group: SchemaGroup, key: UInt64, filled: Double
    ) -> Banyandb_Database_V1_ShardInfo {
        let fullCount = 2_000_000 + Double(key % 1_000_000)
        var shard = Banyandb_Database_V1_ShardInfo()
        shard.shardID = UInt32(number)
        shard.dataCount = Int64(fullCount * filled)
        shard.dataSizeBytes = shard.dataCount * 37
        shard.partCount = 1 + Int64((key >> 32) % 12)
        shard.filePartCount = shard.partCount
        if group.catalog == "CATALOG_STREAM" {
            shard.invertedIndexInfo.dataCount = shard.dataCount / 4
            shard.invertedIndexInfo.dataSizeBytes = shard.dataCount * 3
        }
        if group.catalog == "CATALOG_TRACE" {
            shard.sidxInfo.dataCount = shard.dataCount / 2
            shard.sidxInfo.dataSizeBytes = shard.dataCount * 5
            shard.sidxInfo.partCount = 1 + shard.partCount / 2
        }
        return shard
    }
}
