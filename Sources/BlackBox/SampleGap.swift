// SPDX-License-Identifier: Apache-2.0
import Database
import Metrics
import Platform

/// Minutes of a node that are missing, between two samples that are there. Its agent may still have them.
public struct SampleGap: Equatable, Sendable {
    /// Microseconds since the epoch by the agent's clock: when the sample before was taken, and the one behind.
    public var fromMicroseconds: Int64
    public var untilMicroseconds: Int64
    /// Added to the agent's time, it gives the time by the proxy's clock.
    public var offsetNanoseconds: Int64
    /// When it was found, by the proxy's clock.
    public var foundAtNanoseconds: Int64

    public init(
        fromMicroseconds: Int64, untilMicroseconds: Int64, offsetNanoseconds: Int64, foundAtNanoseconds: Int64
    ) {
        self.fromMicroseconds = fromMicroseconds
        self.untilMicroseconds = untilMicroseconds
        self.offsetNanoseconds = offsetNanoseconds
        self.foundAtNanoseconds = foundAtNanoseconds
    }

    /// Agents keep some minutes; what was missing for longer is not asked for.
    public static let longestMicroseconds: Int64 = 900_000_000

    /// The parts of the gap that samples from `first` to `last` leave open.
    public func without(_ first: Int64, _ last: Int64) -> [SampleGap] {
        var (before, after) = (self, self)
        before.untilMicroseconds = first
        after.fromMicroseconds = last
        return [before, after]
    }

    public var lengthMicroseconds: Int64 { untilMicroseconds.subtractingClamped(fromMicroseconds) }
}

extension BlackBoxStore {
    public func storeGap(_ gap: SampleGap, of node: Int64) throws(DatabaseError) {
        try database.run(
            """
            INSERT INTO sample_gaps (node_id, from_at, until_at, clock_offset, found_at) VALUES (?, ?, ?, ?, ?)
            """,
            .integer(node), .integer(gap.fromMicroseconds), .integer(gap.untilMicroseconds),
            .integer(gap.offsetNanoseconds), .integer(gap.foundAtNanoseconds))
    }

    /// Puts other gaps into the place of those of a node.
    public func replaceGaps(of node: Int64, by gaps: [SampleGap]) throws(DatabaseError) {
        try database.run("DELETE FROM sample_gaps WHERE node_id = ?", .integer(node))
        for gap in gaps { try storeGap(gap, of: node) }
    }

    public func gaps() throws(DatabaseError) -> [Int64: [SampleGap]] {
        var found: [Int64: [SampleGap]] = [:]
        try database.query("SELECT node_id, from_at, until_at, clock_offset, found_at FROM sample_gaps ORDER BY id") {
            found[$0.integer(0), default: []].append(
                SampleGap(
                    fromMicroseconds: $0.integer(1), untilMicroseconds: $0.integer(2), offsetNanoseconds: $0.integer(3),
                    foundAtNanoseconds: $0.integer(4)))
        }
        return found
    }

    /// Adds samples of a time that is over, oldest first. None of the node's other samples lies between them.
    public func insertEarlier(
        _ samples: [SampleColumns], node: Int64, table: StoredTable
    ) throws(DatabaseError) {
        let limit = SampleChunk.rowLimit(seriesCount: table.seriesCount)
        var rest = samples[...]
        while !rest.isEmpty {
            var chunk = SampleChunk(seriesCount: table.seriesCount)
            for sample in rest.prefix(limit) { chunk.append(sample) }
            rest = rest.dropFirst(limit)
            try insert(chunk, node: node, tableID: table.id)
        }
    }

    /// When a node's newest sample was taken, by its agent's clock, and when it was received; `nil` without one.
    public func lastSampleTimes(
        of node: Int64
    ) throws(DatabaseError) -> (takenMicroseconds: Int64, receivedNanoseconds: Int64)? {
        var row = try recentSamples(of: node)?.chunk.rows.last
        if row == nil {
            try database.query(
                "SELECT data FROM sample_chunks WHERE node_id = ? ORDER BY last_at DESC LIMIT 1", .integer(node)
            ) { [codec] in row = $0.withBytes(0) { codec.decode($0)?.rows.last } }
        }
        return row.map { ($0.takenMicroseconds, $0.receivedAtNanoseconds) }
    }
}

extension SampleChunk.Row {
    var takenMicroseconds: Int64 {
        SampleColumns.takenMicroseconds(
            commonTime: commonTimeMicroseconds, receivedAtNanoseconds: receivedAtNanoseconds)
    }
}
