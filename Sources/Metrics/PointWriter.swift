// SPDX-License-Identifier: Apache-2.0
import Calendar
import Platform

/// Writes `{"timestamp":"2026-02-02T09:59:00Z","value":12.4}`, and remembers the texts of the last times: a window has
/// few.
struct PointWriter {
    /// Room that `append` needs: a comma, the point, and what vectors write beyond it.
    static let reserveBytes = 64 + ValueWriter.reserveBytes

    private struct Stamp {
        var second: Int64
        /// The text's 20 bytes, and twelve more.
        var text: SIMD32<UInt8>
    }

    // As vectors, because a copy of a constant length is one store. Bytes behind the text are overwritten.
    private static let timestampKey = vector("{\"timestamp\":\"  ")
    private static let timestampKeyBytes = 14
    private static let valueKey = vector("\",\"value\":      ")
    private static let valueKeyBytes = 10
    private static let stampBytes = 20
    private static let stampCount = 256

    private var stamps = [Stamp](repeating: Stamp(second: .min, text: SIMD32(repeating: 0)), count: stampCount)
    private let powers = PowersOfTen.shared.entries
    private let timestampKey = Self.timestampKey
    private let valueKey = Self.valueKey

    private static func vector(_ text: StaticString) -> SIMD16<UInt8> {
        SIMD16(text.description.utf8)
    }

    @inline(__always)
    mutating func append(_ point: SeriesPoints.Point, to writer: inout ByteWriter) {
        writer.store(timestampKey, ahead: 0)
        writer.store(stamp(point.time), ahead: Self.timestampKeyBytes)
        writer.advance(by: Self.timestampKeyBytes + Self.stampBytes)
        writer.store(valueKey, ahead: 0)
        writer.advance(by: Self.valueKeyBytes)
        if point.bits & 0x7ff0_0000_0000_0000 == 0x7ff0_0000_0000_0000 {
            // JSON has no number for it.
            writer.append(UInt8(ascii: "\""))
            ValueWriter.append(bits: point.bits, to: &writer, powers: powers.span)
            writer.append(UInt8(ascii: "\""))
        } else {
            ValueWriter.append(bits: point.bits, to: &writer, powers: powers.span)
        }
        writer.append(UInt8(ascii: "}"))
    }

    @inline(__always)
    private mutating func stamp(_ time: SampleTime) -> SIMD32<UInt8> {
        let second = RFC3339.clamped(secondsSinceEpoch: time.secondsSinceEpoch)
        let place = Int(truncatingIfNeeded: (UInt64(bitPattern: second) &* 0x9E37_79B9_7F4A_7C15) >> 56)
        if stamps[place].second != second {
            var text: [UInt8] = []
            text.reserveCapacity(RFC3339.wholeSecondBytes)
            RFC3339.append(EpochTime(seconds: second), fraction: .none, to: &text)
            var vector = SIMD32<UInt8>(repeating: 0)
            for (index, byte) in text.enumerated() { vector[index] = byte }
            stamps[place] = Stamp(second: second, text: vector)
        }
        return stamps[place].text
    }
}
