// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The `Date` header field (RFC 9110 section 6.6.1), made once a second.
struct HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private var second = Int.min
    private var text = ""

    /// The present time as `Sun, 06 Nov 1994 08:49:37 GMT`.
    mutating func now() -> String {
        let present = time(nil)
        if present != second {
            second = present
            text = Self.text(secondsSinceEpoch: present)
        }
        return text
    }

    static func text(secondsSinceEpoch: Int) -> String {
        let secondsPerDay = 86_400
        let days = secondsSinceEpoch.flooredDivision(by: secondsPerDay)
        let secondOfDay = secondsSinceEpoch - days * secondsPerDay
        let weekday = (days + 4) - (days + 4).flooredDivision(by: 7) * 7  // 1 January 1970 was a Thursday
        let (year, month, day) = civilDate(daysSinceEpoch: days)
        return weekdays[weekday] + ", " + padded(day) + " " + months[month - 1] + " " + padded(year, width: 4) + " "
            + padded(secondOfDay / 3600) + ":" + padded(secondOfDay / 60 % 60) + ":" + padded(secondOfDay % 60) + " GMT"
    }

    /// The Gregorian date of a day. Counts in years that begin on 1 March, so that the leap day is a year's last, and
    /// in eras of 400 years, which are all equally long.
    private static func civilDate(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let daysPerEra = 146_097
        let daysSinceMarchOfYear0 = daysSinceEpoch + 719_468
        let era = daysSinceMarchOfYear0.flooredDivision(by: daysPerEra)
        let dayOfEra = daysSinceMarchOfYear0 - era * daysPerEra
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func padded(_ number: Int, width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

extension Int {
    fileprivate func flooredDivision(by divisor: Int) -> Int {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
