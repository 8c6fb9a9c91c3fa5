// SPDX-License-Identifier: Apache-2.0

/// The points of one `window` record, with the table that they name.
public final class WindowBatch: Sendable {
    public let table: SeriesTable
    public let receivedAtNanoseconds: Int64
    let times: [SampleTime]
    let series: [UInt32]
    let timeIndexes: [UInt32]
    let bits: [UInt64]

    public var pointCount: Int { bits.count }

    /// The number of the table that the payload names; nil when it is no `window` record of ours.
    public static func tableNumber(of payload: RawSpan) -> UInt32? {
        guard payload.integer(at: 0, as: UInt32.self) == MetricsRecordLayout.windowMagic else { return nil }
        return payload.integer(at: 4, as: UInt32.self)
    }

    /// nil when the payload does not fit its own lengths, is not of this table, or names what is not there.
    public init?(payload: RawSpan, table: SeriesTable) {
        guard Self.tableNumber(of: payload) == table.number,
            let points = payload.integer(at: 8, as: UInt32.self),
            let timeCount = payload.integer(at: 12, as: UInt32.self),
            let receivedAt = payload.integer(at: 16, as: Int64.self),
            payload.byteCount == MetricsRecordLayout.windowHeaderBytes + 8 * Int(timeCount) + 16 * Int(points)
        else { return nil }
        let seriesStart = MetricsRecordLayout.windowHeaderBytes + 8 * Int(timeCount)
        let indexStart = seriesStart + 4 * Int(points)
        let valueStart = indexStart + 4 * Int(points)
        times = payload.words(MetricsRecordLayout.windowHeaderBytes..<seriesStart)
        series = payload.words(seriesStart..<indexStart)
        timeIndexes = payload.words(indexStart..<valueStart)
        bits = payload.words(valueStart..<payload.byteCount)
        receivedAtNanoseconds = receivedAt
        self.table = table
        let seriesCount = UInt32(table.seriesCount)
        guard series.allSatisfy({ $0 < seriesCount }), timeIndexes.allSatisfy({ $0 < timeCount }) else { return nil }
    }
}
