// SPDX-License-Identifier: Apache-2.0
import Database
import Metrics

/// Samples that are wanted as text.
public struct ExportQuery: Sendable {
    /// A pod's nodes, the oldest first: of two that have a series in common at one time the older one's value counts.
    public var nodes: [StoredNode]
    /// Both ends are included.
    public var fromNanoseconds: Int64
    public var untilNanoseconds: Int64
    /// Empty: all series.
    public var matches: [SeriesMatch]
    public var format: SeriesHistory.Format
    /// Points that are held in memory at a time, 16 bytes each. More of them cost another reading of the chunks for each
    /// part.
    public var maximumPoints = 4 << 20

    public init(
        nodes: [StoredNode], fromNanoseconds: Int64, untilNanoseconds: Int64, matches: [SeriesMatch] = [],
        format: SeriesHistory.Format
    ) {
        self.nodes = nodes
        self.fromNanoseconds = fromNanoseconds
        self.untilNanoseconds = untilNanoseconds
        self.matches = matches
        self.format = format
    }
}

/// A query whose samples have been counted, ready to be written.
public struct ExportPlan {
    public let query: ExportQuery
    fileprivate var history: SeriesHistory
    /// Samples of the nodes; each has a value for each of its series.
    public let rowCount: Int
    /// Parts of the database that are damaged, and left out.
    public let damagedCount: UInt64
}

extension BlackBoxReader {
    /// The time range that is meant where a query names only a part of it: the last 15 minutes that are known.
    public static let defaultRangeNanoseconds: Int64 = 900_000_000_000

    /// Reads what is needed before the first byte can be written.
    public func plan(_ query: ExportQuery) throws(DatabaseError) -> ExportPlan {
        let damagedBefore = damagedCount
        var tables: [Int64: SeriesTable] = [:]
        var rows = 0
        for node in query.nodes {
            let ids = try tableIDs(
                of: node.id, fromNanoseconds: query.fromNanoseconds, untilNanoseconds: query.untilNanoseconds)
            for id in ids where tables[id] == nil {
                if let table = try table(id) { tables[id] = table }
            }
            try samples(
                of: node.id, fromNanoseconds: query.fromNanoseconds, untilNanoseconds: query.untilNanoseconds
            ) { _, chunk in rows += chunk.rows.count }
        }
        return ExportPlan(
            query: query, history: SeriesHistory(tables: tables, matches: query.matches), rowCount: rows,
            damagedCount: damagedCount - damagedBefore)
    }

    /// Writes the samples, series by series, in pieces.
    ///
    /// - Parameter output: is called with each piece; `false`: nobody wants more.
    /// - Returns: whether all has been written.
    @discardableResult
    public func write(_ plan: ExportPlan, to output: ([UInt8]) -> Bool) throws(DatabaseError) -> Bool {
        let query = plan.query
        let newest = query.nodes.last
        let source = SeriesHistory.Source(agentID: newest?.agentID ?? "", podName: newest?.podName ?? "")
        var history = plan.history
        var isFirst = true
        let start = SeriesHistory.start(query.format)
        guard start.isEmpty || output(start) else { return false }
        for part in history.parts(rows: plan.rowCount, maximumPoints: query.maximumPoints) {
            history.begin(part)
            for node in query.nodes {
                try samples(
                    of: node.id, fromNanoseconds: query.fromNanoseconds, untilNanoseconds: query.untilNanoseconds
                ) { table, chunk in
                    for row in chunk.rows.indices { history.add(chunk.sample(row), table: table) }
                }
            }
            guard history.write(query.format, source: source, isFirst: &isFirst, to: output) else { return false }
        }
        let end = SeriesHistory.end(query.format)
        return end.isEmpty || output(end)
    }
}

extension ExportPlan {
    /// All samples at once, for programs that calculate with them: choose few series.
    ///
    /// - Returns: `nil` when there are more points than the query holds in memory.
    public func collect(_ reader: BlackBoxReader) throws(DatabaseError) -> [CollectedSeries]? {
        var history = history
        let parts = history.parts(rows: rowCount, maximumPoints: query.maximumPoints)
        guard parts.count == 1, let part = parts.first else { return parts.isEmpty ? [] : nil }
        history.begin(part)
        for node in query.nodes {
            try reader.samples(
                of: node.id, fromNanoseconds: query.fromNanoseconds, untilNanoseconds: query.untilNanoseconds
            ) { table, chunk in
                for row in chunk.rows.indices { history.add(chunk.sample(row), table: table) }
            }
        }
        return history.collected()
    }
}
