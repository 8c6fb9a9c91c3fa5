// SPDX-License-Identifier: Apache-2.0
import Metrics

/// Samples of one agent and one series table, oldest first: what is compressed together.
public struct SampleChunk: Equatable, Sendable {
    public struct Row: Equatable, Sendable {
        /// Wall clock.
        public var receivedAtNanoseconds: Int64
        /// Of all samples of the row, unless it has times of its own.
        public var commonTimeMicroseconds: Int64
        public var hasTimes: Bool
    }

    public let seriesCount: Int
    public private(set) var rows: [Row] = []
    /// Row by row, ``seriesCount`` bit patterns each.
    public private(set) var valueBits: [UInt64] = []
    /// Row by row as the values, each less the row's common time; empty as long as no row has times.
    public private(set) var timeOffsets: [Int64] = []

    /// Rows of a chunk at most: five minutes at 10 s. More rows compress better (64 rows by a fifth), and cost as much more
    /// when a few of them are read.
    public static let maximumRows = 32
    /// Values of a chunk at most, 8 MiB of them, so that an agent of a million series costs no more memory than others. One
    /// row may be larger.
    static let maximumValues = 1 << 20
    /// The most series that a table has: limits what a stored chunk may claim.
    static let maximumSeries = 1 << 22

    public init(seriesCount: Int) {
        self.seriesCount = seriesCount
    }

    /// Rows that a chunk of so many series holds.
    static func rowLimit(seriesCount: Int) -> Int {
        max(1, min(maximumRows, maximumValues / max(1, seriesCount)))
    }

    public mutating func append(_ sample: SampleColumns) {
        precondition(sample.valueBits.count == seriesCount, "a row has a value for each series")
        precondition(
            sample.timesMicroseconds.isEmpty || sample.timesMicroseconds.count == seriesCount,
            "a row has no times or one for each series")
        let hasTimes = !sample.timesMicroseconds.isEmpty
        if hasTimes, timeOffsets.isEmpty {
            timeOffsets = [Int64](repeating: 0, count: valueBits.count)
        }
        rows.append(
            Row(
                receivedAtNanoseconds: sample.receivedAtNanoseconds,
                commonTimeMicroseconds: sample.commonTimeMicroseconds, hasTimes: hasTimes))
        valueBits.append(contentsOf: sample.valueBits)
        if hasTimes {
            for time in sample.timesMicroseconds { timeOffsets.append(time &- sample.commonTimeMicroseconds) }
        } else if !timeOffsets.isEmpty {
            timeOffsets.append(contentsOf: repeatElement(0, count: seriesCount))
        }
    }

    public mutating func append(_ other: SampleChunk) {
        for row in other.rows.indices { append(other.sample(row)) }
    }

    public func sample(_ row: Int) -> SampleColumns {
        let place = row * seriesCount..<(row + 1) * seriesCount
        let common = rows[row].commonTimeMicroseconds
        return SampleColumns(
            receivedAtNanoseconds: rows[row].receivedAtNanoseconds, commonTimeMicroseconds: common,
            valueBits: Array(valueBits[place]),
            timesMicroseconds: rows[row].hasTimes ? timeOffsets[place].map { $0 &+ common } : [])
    }

    /// A chunk as a decoder has read it. Columns are as long as the rows ask for, which the decoder has checked.
    init(seriesCount: Int, rows: [Row], valueBits: [UInt64], timeOffsets: [Int64]) {
        self.seriesCount = seriesCount
        self.rows = rows
        self.valueBits = valueBits
        self.timeOffsets = timeOffsets
    }
}
