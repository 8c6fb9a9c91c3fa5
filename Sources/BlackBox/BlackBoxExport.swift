// SPDX-License-Identifier: Apache-2.0
import Database
import Metrics

/// The samples of a node as text.
extension BlackBoxReader {
    /// Points that are held in memory at a time, 64 MiB of them; what is more is read again for each part.
    public static let exportedPoints = 4 << 20

    /// Writes the samples of a node, series by series, in pieces.
    ///
    /// - Parameter output: is called with each piece; `false`: nobody wants more.
    /// - Returns: how many samples of the node there were; 0: nothing has been written.
    public func export(
        node: Int64, fromNanoseconds from: Int64, untilNanoseconds until: Int64, matches: [SeriesMatch] = [],
        as format: SeriesHistory.Format, maximumPoints: Int = BlackBoxReader.exportedPoints,
        to output: ([UInt8]) -> Bool
    ) throws(DatabaseError) -> Int {
        var tables: [Int64: SeriesTable] = [:]
        var rows = 0
        for id in try tableIDs(of: node, fromNanoseconds: from, untilNanoseconds: until) {
            if let table = try table(id) { tables[id] = table }
        }
        try samples(of: node, fromNanoseconds: from, untilNanoseconds: until) { _, chunk in rows += chunk.rows.count }
        guard rows > 0 else { return 0 }
        var history = SeriesHistory(tables: tables, matches: matches)
        for part in history.parts(rows: rows, maximumPoints: maximumPoints) {
            history.begin(part)
            try samples(of: node, fromNanoseconds: from, untilNanoseconds: until) { table, chunk in
                for row in chunk.rows.indices { history.add(chunk.sample(row), table: table) }
            }
            var isWanted = true
            history.write(format) { if isWanted { isWanted = output($0) } }
            guard isWanted else { return rows }
        }
        _ = output(SeriesHistory.end(format))
        return rows
    }
}
