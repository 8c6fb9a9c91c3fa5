// SPDX-License-Identifier: Apache-2.0

/// The header of a `sample` record, before its table is at hand.
public struct SampleHeader: Sendable, Equatable {
    public var tableNumber: UInt32
    public var seriesCount: Int
    /// Wall clock.
    public var receivedAtNanoseconds: Int64
}

/// One answer of one agent: a value for each series of its table, `SampleBits.stale` where the answer had none.
public final class Sample: Sendable {
    public let tableNumber: UInt32
    public let receivedAtNanoseconds: Int64
    /// Bit patterns, in the order of the table.
    let bits: [UInt64]
    /// Empty when all have `commonTime`.
    let times: [SampleTime]
    let commonTime: SampleTime

    /// nil when it is no `sample` record of ours, or shorter or longer than it says.
    public static func header(of payload: RawSpan) -> SampleHeader? {
        guard payload.integer(at: 0, as: UInt32.self) == MetricsRecordLayout.sampleMagic,
            let tableNumber = payload.integer(at: 4, as: UInt32.self),
            let seriesCount = payload.integer(at: 8, as: UInt32.self),
            let hasTimes = payload.integer(at: 12, as: UInt32.self), hasTimes <= 1,
            let receivedAt = payload.integer(at: 16, as: Int64.self),
            payload.byteCount == MetricsRecordLayout.sampleHeaderBytes + Int(seriesCount) * 8 * (1 + Int(hasTimes))
        else { return nil }
        return SampleHeader(
            tableNumber: tableNumber, seriesCount: Int(seriesCount), receivedAtNanoseconds: receivedAt)
    }

    /// nil when the payload does not fit its own lengths or is not of this table.
    public init?(payload: RawSpan, table: SeriesTable) {
        guard let header = Self.header(of: payload), header.tableNumber == table.number,
            header.seriesCount == table.seriesCount,
            let commonTime = payload.integer(at: 24, as: Int64.self)
        else { return nil }
        tableNumber = header.tableNumber
        receivedAtNanoseconds = header.receivedAtNanoseconds
        self.commonTime = commonTime
        let valuesEnd = MetricsRecordLayout.sampleHeaderBytes + header.seriesCount * 8
        bits = payload.words(MetricsRecordLayout.sampleHeaderBytes..<valuesEnd)
        times = payload.words(valuesEnd..<payload.byteCount)
    }

    init(_ columns: SampleColumns, tableNumber: UInt32) {
        self.tableNumber = tableNumber
        receivedAtNanoseconds = columns.receivedAtNanoseconds
        commonTime = columns.commonTimeMicroseconds
        bits = columns.valueBits
        times = columns.timesMicroseconds
    }

    func time(of series: Int) -> SampleTime { times.isEmpty ? commonTime : times[series] }

    public var memoryBytes: Int { (bits.count + times.count) * 8 + 64 }
}

extension RawSpan {
    /// The whole elements in `range`, which must lie inside.
    func words<T: FixedWidthInteger & BitwiseCopyable>(_ range: Range<Int>) -> [T] {
        let part = extracting(range)
        let size = MemoryLayout<T>.size
        return [T](capacity: part.byteCount / size) { output in
            for index in 0..<(part.byteCount / size) {
                output.append(part.unsafeLoadUnaligned(fromUncheckedByteOffset: index * size, as: T.self))
            }
        }
    }
}
