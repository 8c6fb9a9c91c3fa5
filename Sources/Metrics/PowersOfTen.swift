// SPDX-License-Identifier: Apache-2.0

/// The leading 128 bits of 10^k for every k that printing a double needs, rounded up, normalised to have the top bit
/// set.
///
/// Made at first use, by exact long arithmetic, in some 50 µs: cheaper to trust than a file of 617 numbers.
struct PowersOfTen: Sendable {
    /// 10^-k of the smallest and of the largest double's k.
    static let smallest = -292
    static let largest = 324

    static let shared = PowersOfTen()

    struct Entry: BitwiseCopyable, Sendable {
        var high: UInt64
        var low: UInt64
    }

    let entries: [Entry]

    private init() {
        var positive: [Entry] = []
        // Limbs from the lowest up. 10^324 has 1077 bits.
        var number: [UInt64] = [1]
        for _ in 0...Self.largest {
            positive.append(Self.leading(number, isExact: true))
            var carry: UInt64 = 0
            for index in number.indices {
                let product = number[index].multipliedFullWidth(by: 10)
                let sum = product.low.addingReportingOverflow(carry)
                number[index] = sum.partialValue
                carry = product.high &+ (sum.overflow ? 1 : 0)
            }
            if carry > 0 { number.append(carry) }
        }
        // 2^N / 10^k, rounded down at each division, is exactly the whole part of the quotient; N leaves 128 bits and
        // more for the last.
        var negative: [Entry] = []
        number = [UInt64](repeating: 0, count: 20) + [1]
        for _ in 0..<(-Self.smallest) {
            var rest: UInt64 = 0
            for index in number.indices.reversed() {
                let (quotient, remainder) = (10 as UInt64).dividingFullWidth((rest, number[index]))
                number[index] = quotient
                rest = remainder
            }
            while number.last == 0 { number.removeLast() }
            negative.append(Self.leading(number, isExact: false))
        }
        entries = negative.reversed() + positive
    }

    /// The top 128 bits, plus one in the last place when something was cut off (always so for negative powers, which
    /// have no end).
    private static func leading(_ number: [UInt64], isExact: Bool) -> Entry {
        func limb(_ fromTop: Int) -> UInt64 { fromTop < number.count ? number[number.count - 1 - fromTop] : 0 }
        let shift = UInt64(limb(0).leadingZeroBitCount)
        func shifted(_ fromTop: Int) -> UInt64 {
            shift == 0 ? limb(fromTop) : limb(fromTop) << shift | limb(fromTop + 1) >> (64 - shift)
        }
        var high = shifted(0)
        var low = shifted(1)
        let cut = isExact ? (2..<Swift.max(3, number.count + 1)).contains { shifted($0) != 0 } : true
        if cut {
            low &+= 1
            if low == 0 { high &+= 1 }
        }
        return Entry(high: high, low: low)
    }
}
