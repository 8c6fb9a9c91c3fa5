// SPDX-License-Identifier: Apache-2.0
import Platform

// The payloads of the rings' metrics records. All integers are little-endian, as the processors that this runs on are.
//
// series: magic, table number, series, blocks (UInt32 each); pod names, node roles (value lists); then each block.
//   block: name bytes, description bytes (UInt16 each), type, series, coded bytes, longest text (UInt32 each);
//     name, description, entries (FrontCoding).
//   value list: is any, count (UInt8 each), then each value: bytes (UInt32) and the value.
// sample: magic, table number, series, 1 if there are times (UInt32 each), received at (ns), common sample time (µs);
//   values (Float64); times (µs), if there are any.
// window: magic, table number, points, times (UInt32 each), received at (ns); times (µs); then of all points the
//   series, the index of the time (UInt32 each), the value (Float64), column by column.
enum MetricsRecordLayout {
    // Four letters and a layout version each.
    static let seriesMagic: UInt32 = 0x0153_5246
    static let sampleMagic: UInt32 = 0x014d_5346
    static let windowMagic: UInt32 = 0x0157_5346

    static let seriesHeaderBytes = 16
    static let blockHeaderBytes = 20
    static let sampleHeaderBytes = 32
    static let windowHeaderBytes = 24
}

extension OutputRawSpan {
    mutating func appendValues(_ values: DistinctValues) {
        append(values.isAny ? 1 as UInt8 : 0)
        append(UInt8(values.values.count))
        for value in values.values {
            append(UInt32(value.count), as: UInt32.self)
            appendBytes(value)
        }
    }

    mutating func appendBytes(_ bytes: [UInt8]) {
        withByteWriter { $0.append(bytes.span.bytes, from: 0, byteCount: bytes.count) }
    }

    mutating func appendElements<T: BitwiseCopyable>(_ elements: [T]) {
        withByteWriter { writer in
            let bytes = elements.span.bytes
            writer.append(bytes, from: 0, byteCount: bytes.byteCount)
        }
    }
}

extension DistinctValues {
    var recordBytes: Int { values.reduce(2) { $0 + 4 + $1.count } }

    /// Reads them back and moves `place` behind them; nil when they do not fit.
    init?(_ payload: RawSpan, at place: inout Int) {
        guard let isAny = payload.integer(at: place, as: UInt8.self), isAny <= 1,
            let count = payload.integer(at: place + 1, as: UInt8.self), count <= Self.maxValues
        else { return nil }
        place += 2
        var values: [[UInt8]] = []
        for _ in 0..<count {
            guard let bytes = payload.integer(at: place, as: UInt32.self), Int(bytes) <= payload.byteCount - place - 4
            else { return nil }
            values.append(payload.array((place + 4)..<(place + 4 + Int(bytes))))
            place += 4 + Int(bytes)
        }
        self.init(values: values, isAny: isAny == 1)
    }
}
