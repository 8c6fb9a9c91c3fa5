// SPDX-License-Identifier: Apache-2.0
import Platform

/// Writes doubles as Go's `%v` does, which is what the Go proxy answers with: shortest digits, an exponent below 1e-4
/// and from 1e21 on. Finite values are valid JSON, too.
///
/// Three ways, the cheapest that is right: whole numbers below 2^53 by eight digits at a time within a register; values
/// with at most six decimals by trying (a decimal of at most 15 digits that reads back is the shortest); the others by
/// Schubfach.
struct ValueWriter {
    /// Room that `append` needs: the longest text has 25 bytes, and stores of whole vectors go beyond it.
    static let reserveBytes = 64

    private static let six = 1e6
    /// Below it six decimals make at most 15 digits.
    private static let shortLimit = 1e9
    private static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// `writer` must have room for `reserveBytes`.
    @inline(__always)
    static func append(bits: UInt64, to writer: inout ByteWriter, powers: Span<PowersOfTen.Entry>) {
        var magnitude = bits
        if bits >> 63 != 0 {
            magnitude = bits & ~(1 << 63)
            // A NaN has no sign in text.
            if magnitude <= 0x7ff0_0000_0000_0000 { writer.append(UInt8(ascii: "-")) }
        }
        let value = Double(bitPattern: magnitude)
        if value < 0x1p53 {
            let whole = UInt64(value)
            if Double(whole) == value {
                writer.advance(by: storeDigits(whole, to: &writer))
                return
            }
            if value < shortLimit {
                let scaled = (value * six).rounded()
                if scaled / six == value {
                    append(digits: UInt64(scaled), exponent: -6, to: &writer)
                    return
                }
            }
        }
        appendRare(magnitude, negative: bits >> 63 != 0, to: &writer, powers: powers)
    }

    @inline(never)
    private static func appendRare(
        _ magnitude: UInt64, negative: Bool, to writer: inout ByteWriter, powers: Span<PowersOfTen.Entry>
    ) {
        if magnitude >= 0x7ff0_0000_0000_0000 {
            if magnitude > 0x7ff0_0000_0000_0000 {
                appendWord("NaN", to: &writer)
            } else {
                appendWord(negative ? "Inf" : "+Inf", to: &writer)
            }
            return
        }
        let decimal = ShortestDecimal(bits: magnitude, powers: powers)
        append(digits: decimal.digits, exponent: decimal.exponent, to: &writer)
    }

    private static func appendWord(_ word: StaticString, to writer: inout ByteWriter) {
        for character in word.description.utf8 { writer.append(character) }
    }

    /// `digits * 10^exponent`, above zero; `digits` may end in zeros.
    @inline(__always)
    private static func append(digits: UInt64, exponent: Int, to writer: inout ByteWriter) {
        var digits = digits
        var exponent = exponent
        while true {
            let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: 10)
            if remainder != 0 { break }
            digits = quotient
            exponent &+= 1
        }
        let count = storeDigits(digits, to: &writer)
        // Digits before the point.
        let point = count &+ exponent
        if point > 0 && point < count {
            let fraction = writer.load(ahead: point, as: SIMD16<UInt8>.self)
            writer.store(fraction, ahead: point &+ 1)
            writer.store(UInt8(ascii: "."), ahead: point)
            writer.advance(by: count &+ 1)
            return
        }
        appendFar(count: count, point: point, digits: digits, to: &writer)
    }

    /// The digits lie ahead in `writer` and the point is not among them.
    private static func appendFar(count: Int, point: Int, digits: UInt64, to writer: inout ByteWriter) {
        if point > 21 || point < -3 {
            var end = count
            if count > 1 {
                let fraction = writer.load(ahead: 1, as: SIMD16<UInt8>.self)
                writer.store(fraction, ahead: 2)
                writer.store(UInt8(ascii: "."), ahead: 1)
                end += 1
            }
            writer.advance(by: end)
            writer.append(UInt8(ascii: "e"))
            let power = point - 1
            writer.append(power < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            if abs(power) < 10 { writer.append(UInt8(ascii: "0")) }
            writer.advance(by: storeDigits(UInt64(abs(power)), to: &writer))
        } else if point >= count {
            for distance in stride(from: count, to: point, by: 8) { writer.store(zeros, ahead: distance) }
            writer.advance(by: point)
        } else {
            // "0." and up to three zeros. The digits are written again where they belong.
            writer.store(zeros, ahead: 0)
            writer.store(UInt8(ascii: "."), ahead: 1)
            writer.advance(by: 2 - point)
            writer.advance(by: storeDigits(digits, to: &writer))
        }
    }

    /// Stores the digits of `value` (below 10^19) ahead of the writer's end and returns how many they are.
    @inline(__always)
    private static func storeDigits(_ value: UInt64, to writer: inout ByteWriter) -> Int {
        if value < 100_000_000 { return storeLeading(value, to: &writer) }
        let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
        if high < 100_000_000 {
            let count = storeLeading(high, to: &writer)
            writer.store(eightDigits(low) | zeros, ahead: count)
            return count &+ 8
        }
        let (top, middle) = high.quotientAndRemainder(dividingBy: 100_000_000)
        let count = storeLeading(top, to: &writer)
        writer.store(eightDigits(middle) | zeros, ahead: count)
        writer.store(eightDigits(low) | zeros, ahead: count &+ 8)
        return count &+ 16
    }

    /// Up to eight digits without leading zeros: they are shifted out of the word.
    @inline(__always)
    private static func storeLeading(_ value: UInt64, to writer: inout ByteWriter) -> Int {
        let digits = eightDigits(value)
        // Zero keeps its last digit.
        let leading = (digits | 1 << 56).trailingZeroBitCount & ~7
        writer.store((digits | zeros) >> UInt64(leading), ahead: 0)
        return 8 &- leading / 8
    }

    /// The eight digits of a value below 10^8, one a byte, the first in the lowest.
    @inline(__always)
    private static func eightDigits(_ value: UInt64) -> UInt64 {
        let fours = value / 10000 | (value % 10000) << 32
        // A division by 100 in both halves at once, then one by 10 in all four quarters, by multiplication and shift.
        let hundreds = (fours &* 10486) >> 20 & 0x0000_007f_0000_007f
        let twos = hundreds | (fours &- hundreds &* 100) << 16
        let tens = (twos &* 103) >> 10 & 0x000f_000f_000f_000f
        return tens | (twos &- tens &* 10) << 8
    }
}
