// SPDX-License-Identifier: Apache-2.0

/// The columns of a `sample` record as they stand, for a process that stores them without looking at the series' texts.
public struct SampleColumns: Equatable, Sendable {
    /// Wall clock.
    public var receivedAtNanoseconds: Int64
    /// Microseconds since the epoch; of all samples unless ``timesMicroseconds`` says otherwise.
    public var commonTimeMicroseconds: Int64
    /// Bit patterns of `Float64`, in the order of the table; the stale marker where the answer had no value.
    public var valueBits: [UInt64]
    /// Empty, or one for each value.
    public var timesMicroseconds: [Int64]

    public init(
        receivedAtNanoseconds: Int64, commonTimeMicroseconds: Int64, valueBits: [UInt64], timesMicroseconds: [Int64]
    ) {
        self.receivedAtNanoseconds = receivedAtNanoseconds
        self.commonTimeMicroseconds = commonTimeMicroseconds
        self.valueBits = valueBits
        self.timesMicroseconds = timesMicroseconds
    }

    /// nil when it is no `sample` record of ours, or shorter or longer than it says.
    public init?(payload: RawSpan) {
        guard let header = Sample.header(of: payload), let commonTime = payload.integer(at: 24, as: Int64.self) else {
            return nil
        }
        let valuesEnd = MetricsRecordLayout.sampleHeaderBytes + header.seriesCount * 8
        self.init(
            receivedAtNanoseconds: header.receivedAtNanoseconds, commonTimeMicroseconds: commonTime,
            valueBits: payload.words(MetricsRecordLayout.sampleHeaderBytes..<valuesEnd),
            timesMicroseconds: payload.words(valuesEnd..<payload.byteCount))
    }
}

extension SampleColumns {
    /// When the sample was taken: microseconds since the epoch, by the agent's clock if it has sent a time.
    public var takenMicroseconds: Int64 {
        Self.takenMicroseconds(commonTime: commonTimeMicroseconds, receivedAtNanoseconds: receivedAtNanoseconds)
    }

    /// - Parameter commonTime: as ``commonTimeMicroseconds``.
    public static func takenMicroseconds(commonTime: Int64, receivedAtNanoseconds: Int64) -> Int64 {
        commonTime == .unset ? SampleTime(nanosecondsSinceEpoch: receivedAtNanoseconds) : commonTime
    }
}

extension Sample {
    /// A sample that was stored; nil when it has not as many values as its table has series.
    public convenience init?(_ columns: SampleColumns, table: SeriesTable) {
        guard columns.valueBits.count == table.seriesCount,
            columns.timesMicroseconds.isEmpty || columns.timesMicroseconds.count == table.seriesCount
        else { return nil }
        self.init(columns, tableNumber: table.number)
    }
}
