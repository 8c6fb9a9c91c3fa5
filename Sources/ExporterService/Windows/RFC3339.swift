// SPDX-License-Identifier: Apache-2.0

/// Reads times as Go's `time.RFC3339` does (RFC 3339, section 5.6): `2026-02-02T09:59:00.5Z`, `…+02:00`.
enum RFC3339 {
    /// A time of the years 0 to 9999.
    struct Time: Comparable {
        /// Since the epoch.
        var seconds: Int64
        /// Of the second.
        var nanoseconds: Int64

        /// Since the epoch. The nearest that Int64 reaches, which is in 1677 or 2262: clients say year 1 or 9999 when they
        /// mean everything.
        var clampedNanoseconds: Int64 {
            let (scaled, isOver) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            let (sum, isSumOver) = scaled.addingReportingOverflow(nanoseconds)
            guard isOver || isSumOver else { return sum }
            return seconds < 0 ? .min : .max
        }

        static func < (left: Time, right: Time) -> Bool {
            (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
        }
    }

    /// `nil` for anything else.
    static func parse(_ text: String) -> Time? {
        var bytes = Array(text.utf8)[...]
        guard let year = take(4, &bytes), drop("-", &bytes), let month = take(2, &bytes), drop("-", &bytes),
            let day = take(2, &bytes), drop("T", &bytes), let hour = take(2, &bytes), drop(":", &bytes),
            let minute = take(2, &bytes), drop(":", &bytes), let second = take(2, &bytes)
        else { return nil }
        guard (1...12).contains(month), day >= 1, day <= days(month, year), hour < 24, minute < 60, second < 60
        else { return nil }
        guard let nanoseconds = fraction(&bytes), let offset = zone(&bytes), bytes.isEmpty else { return nil }
        let seconds = dayNumber(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return Time(seconds: Int64(seconds), nanoseconds: Int64(nanoseconds))
    }

    private static func take(_ count: Int, _ bytes: inout ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= count else { return nil }
        var value = 0
        for _ in 0..<count {
            let digit = Int(bytes.removeFirst()) - 0x30
            guard (0...9).contains(digit) else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    private static func drop(_ character: Unicode.Scalar, _ bytes: inout ArraySlice<UInt8>) -> Bool {
        guard bytes.first == UInt8(ascii: character) else { return false }
        bytes.removeFirst()
        return true
    }

    /// Digits beyond nanoseconds are read and dropped.
    private static func fraction(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        guard drop(".", &bytes) || drop(",", &bytes) else { return 0 }
        var value = 0
        var scale = 100_000_000
        var digits = 0
        while let byte = bytes.first, (0x30...0x39).contains(byte) {
            bytes.removeFirst()
            digits += 1
            value += (Int(byte) - 0x30) * scale
            scale /= 10
        }
        return digits > 0 ? value : nil
    }

    private static func zone(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        if drop("Z", &bytes) { return 0 }
        let sign: Int
        if drop("+", &bytes) { sign = 1 } else if drop("-", &bytes) { sign = -1 } else { return nil }
        guard let hours = take(2, &bytes), drop(":", &bytes), let minutes = take(2, &bytes), hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }

    private static func days(_ month: Int, _ year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March so that the leap
    /// day is the last of its year.
    private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        // 719,468 days lie between 0000-03-01 and 1970-01-01.
        return marchYear * 365 + leapDays + dayOfYear - 719_468
    }
}
