// SPDX-License-Identifier: Apache-2.0

/// The shortest decimal that reads back as the same double, and of those the nearest: `digits * 10^exponent`.
struct ShortestDecimal {
    var digits: UInt64
    var exponent: Int

    /// Raffaello Giulietti's Schubfach ("The Schubfach way to render doubles", 2020), which needs three multiplications
    /// by a 128-bit power of ten and no loop. `bits` is a finite number above zero.
    @inline(__always)
    init(bits: UInt64, powers: Span<PowersOfTen.Entry>) {
        let fraction = bits & (1 << 52 &- 1)
        let biased = Int(truncatingIfNeeded: bits >> 52) & 0x7ff
        let significand = biased == 0 ? fraction : fraction | 1 << 52
        let binaryExponent = (biased == 0 ? 1 : biased) &- 1075
        let isEven = significand & 1 == 0
        // Below a power of two the neighbour is only half as far away.
        let isLowerCloser = fraction == 0 && biased > 1

        // floor(log10(2^q)), or of 3/4 of it; then floor(log2(10^-k)): both exact in the range of doubles.
        let decimalExponent = (binaryExponent &* 1_262_611 &- (isLowerCloser ? 524_031 : 0)) >> 22
        let shift = binaryExponent &+ ((0 &- decimalExponent) &* 1_741_647) >> 19 &+ 1
        let power = powers[0 &- decimalExponent &- PowersOfTen.smallest]

        // Four times the value and the ends of the interval in which every decimal reads back as this double, scaled by
        // 10^-k.
        let lowerEnd = Self.scaled((significand &* 4 &- 2 &+ (isLowerCloser ? 1 : 0)) << UInt64(shift), power)
        let value = Self.scaled((significand &* 4) << UInt64(shift), power)
        let upperEnd = Self.scaled((significand &* 4 &+ 2) << UInt64(shift), power)
        // The ends belong to the interval when the significand is even, because reading rounds to even.
        let lower = isEven ? lowerEnd : lowerEnd &+ 1
        let upper = isEven ? upperEnd : upperEnd &- 1

        let whole = value / 4
        if whole >= 10 {
            // One digit less, if exactly one of the two candidates lies inside.
            let tens = whole / 10
            let isDownInside = lower <= 40 &* tens
            let isUpInside = 40 &* tens &+ 40 <= upper
            if isDownInside != isUpInside {
                digits = tens &+ (isUpInside ? 1 : 0)
                exponent = decimalExponent &+ 1
                return
            }
        }
        exponent = decimalExponent
        let isDownInside = lower <= 4 &* whole
        let isUpInside = 4 &* whole &+ 4 <= upper
        if isDownInside != isUpInside {
            digits = whole &+ (isUpInside ? 1 : 0)
            return
        }
        // Both or neither: the nearer one, of equals the even one.
        let middle = 4 &* whole &+ 2
        let roundsUp = value > middle || (value == middle && whole & 1 == 1)
        digits = whole &+ (roundsUp ? 1 : 0)
    }

    /// The upper 64 bits of the 192-bit product, with the last bit set when anything below was not zero (rounding to
    /// odd keeps comparisons right).
    @inline(__always)
    private static func scaled(_ factor: UInt64, _ power: PowersOfTen.Entry) -> UInt64 {
        let low = power.low.multipliedFullWidth(by: factor)
        let high = power.high.multipliedFullWidth(by: factor)
        let middle = high.low.addingReportingOverflow(low.high)
        let top = high.high &+ (middle.overflow ? 1 : 0)
        return top | (middle.partialValue > 1 ? 1 : 0)
    }
}
