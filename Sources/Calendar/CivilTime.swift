// SPDX-License-Identifier: Apache-2.0

/// A second of UTC as the proleptic Gregorian calendar shows it.
public struct CivilTime: Equatable, Sendable {
    public static let secondsPerDay: Int64 = 86_400

    public let year: Int
    /// From 1.
    public let month: Int
    /// From 1.
    public let day: Int
    public let hour: Int
    public let minute: Int
    public let second: Int
    /// From Sunday, 0.
    public let weekday: Int

    // Years are counted from 1 March, so that the leap day is the last of its year. Any 400 of them have equally many days.
    private static let daysPerEra: Int64 = 146_097
    private static let yearsPerEra: Int64 = 400
    /// From 0000-03-01 to 1970-01-01.
    private static let daysBeforeEpoch: Int64 = 719_468

    public init(secondsSinceEpoch seconds: Int64) {
        let (days, rest) = seconds.flooredDivision(by: Self.secondsPerDay)
        let (era, dayOfEra) = (days + Self.daysBeforeEpoch).flooredDivision(by: Self.daysPerEra)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = Int(era * Self.yearsPerEra + yearOfEra) + (month <= 2 ? 1 : 0)
        hour = Int(rest / 3600)
        minute = Int(rest / 60 % 60)
        second = Int(rest % 60)
        // 1 January 1970 was a Thursday.
        weekday = Int((days + 4).flooredDivision(by: 7).remainder)
    }

    /// The number of days from 1970-01-01 to that day; negative before.
    /// - Parameter year: from 0 to 9999.
    static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int64 {
        let (era, yearOfEra) = Int64(month > 2 ? year : year - 1).flooredDivision(by: yearsPerEra)
        let monthFromMarch = Int64((month + 9) % 12)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * daysPerEra + dayOfEra - daysBeforeEpoch
    }

    /// The number of days of a month.
    static func days(inMonth month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }
}
