// SPDX-License-Identifier: Apache-2.0

/// Times for people and machines, without Foundation.
public enum Timestamp {
    /// `2026-01-31T12:00:00.000Z`: UTC, cut to milliseconds.
    public static func rfc3339(wallNanoseconds: Int64) -> String {
        let milliseconds = floorDivide(wallNanoseconds, 1_000_000)
        let secondsTotal = floorDivide(milliseconds, 1000)
        let days = floorDivide(secondsTotal, 86_400)
        let secondOfDay = secondsTotal - days * 86_400
        let (year, month, day) = date(daysSinceEpoch: days)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + "\(padded(secondOfDay / 3600, 2)):\(padded(secondOfDay / 60 % 60, 2)):\(padded(secondOfDay % 60, 2))"
            + ".\(padded(milliseconds - secondsTotal * 1000, 3))Z"
    }

    /// The Gregorian date of a day. Years are counted from March, so that the leap day is the last of its year; 400
    /// years are always 146,097 days.
    private static func date(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let daysFromYear0 = daysSinceEpoch + 719_468  // 0000-03-01 to 1970-01-01
        let era = floorDivide(daysFromYear0, 146_097)
        let dayOfEra = daysFromYear0 - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        a / b - (a % b < 0 ? 1 : 0)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
