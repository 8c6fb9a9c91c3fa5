// SPDX-License-Identifier: Apache-2.0

/// The points of a window answer in columns, ready to be written as a `window` record.
public struct WindowColumns: Sendable {
    public internal(set) var summary = DecodeSummary()
    var tableNumber: UInt32 = 0
    var receivedAtNanoseconds: Int64 = 0
    /// The different sample times, in the order in which they came.
    var times: [SampleTime] = []
    var series: [UInt32] = []
    var timeIndexes: [UInt32] = []
    var valueBits: [UInt64] = []

    public var pointCount: Int { valueBits.count }

    /// From the oldest point to the newest, nanoseconds since the epoch; nil without any.
    public var timeRangeNanoseconds: ClosedRange<Int64>? {
        guard let oldest = times.min(), let newest = times.max() else { return nil }
        return oldest.nanosecondsSinceEpoch...newest.nanosecondsSinceEpoch
    }

    /// Bytes that `write` appends.
    public var byteCount: Int { MetricsRecordLayout.windowHeaderBytes + 8 * times.count + 16 * pointCount }

    /// Appends the payload of a `window` record. Needs room for `byteCount` bytes.
    public func write(into output: inout OutputRawSpan) {
        output.append(MetricsRecordLayout.windowMagic, as: UInt32.self)
        output.append(tableNumber, as: UInt32.self)
        output.append(UInt32(pointCount), as: UInt32.self)
        output.append(UInt32(times.count), as: UInt32.self)
        output.append(receivedAtNanoseconds, as: Int64.self)
        output.appendElements(times)
        output.appendElements(series)
        output.appendElements(timeIndexes)
        output.appendElements(valueBits)
    }
}
