// SPDX-License-Identifier: Apache-2.0

extension RFC3339 {
    /// Reads a time of the years 0 to 9999 as Go's `time.RFC3339` does (RFC 3339 section 5.6): with any zone, and with a
    /// fraction behind a point or a comma.
    ///
    /// - Returns: `nil` for anything else.
    public static func parse(_ text: String) -> EpochTime? {
        var bytes = Array(text.utf8)[...]
        guard let year = take(4, &bytes), drop("-", &bytes), let month = take(2, &bytes), drop("-", &bytes),
            let day = take(2, &bytes), drop("T", &bytes), let hour = take(2, &bytes), drop(":", &bytes),
            let minute = take(2, &bytes), drop(":", &bytes), let second = take(2, &bytes)
        else { return nil }
        guard (1...12).contains(month), day >= 1, day <= CivilTime.days(inMonth: month, of: year), hour < 24,
            minute < 60, second < 60
        else { return nil }
        guard let nanoseconds = fraction(&bytes), let offset = zone(&bytes), bytes.isEmpty else { return nil }
        let days = CivilTime.daysSinceEpoch(year: year, month: month, day: day)
        let seconds = days * CivilTime.secondsPerDay + Int64(hour * 3_600 + minute * 60 + second - offset)
        return EpochTime(seconds: seconds, nanoseconds: nanoseconds)
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
    private static func fraction(_ bytes: inout ArraySlice<UInt8>) -> Int32? {
        guard drop(".", &bytes) || drop(",", &bytes) else { return 0 }
        var value: Int32 = 0
        var scale: Int32 = 100_000_000
        var digits = 0
        while let byte = bytes.first, (0x30...0x39).contains(byte) {
            bytes.removeFirst()
            digits += 1
            value += Int32(byte - 0x30) * scale
            scale /= 10
        }
        return digits > 0 ? value : nil
    }

    /// Seconds east of Greenwich.
    private static func zone(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        if drop("Z", &bytes) { return 0 }
        let sign: Int
        if drop("+", &bytes) { sign = 1 } else if drop("-", &bytes) { sign = -1 } else { return nil }
        guard let hours = take(2, &bytes), drop(":", &bytes), let minutes = take(2, &bytes), hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }
}
