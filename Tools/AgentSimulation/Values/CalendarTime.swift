// SPDX-License-Identifier: Apache-2.0

/// A second of UTC as a calendar shows it, for names of segments, artifacts and profiles.
struct CalendarTime: Equatable {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int

    static let daySeconds: Int64 = 86_400

    /// - Parameter seconds: since 1970, 0 or more.
    init(seconds: Int64) {
        let (days, rest) = max(0, seconds).quotientAndRemainder(dividingBy: Self.daySeconds)
        // Years that begin in March end with the leap day: then months have the same lengths in all of them, and every
        // 400 years have as many days.
        let shifted = Int(days) + 719_468  // days since 0000-03-01
        let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        hour = Int(rest) / 3600
        minute = Int(rest) / 60 % 60
        second = Int(rest) % 60
    }

    /// `20261125`
    var compactDay: String { "\(year)\(Self.two(month))\(Self.two(day))" }
    /// `2026-11-25`
    var dashedDay: String { "\(year)-\(Self.two(month))-\(Self.two(day))" }
    /// `2026-11-25T21:07:16Z`
    var rfc3339: String { "\(dashedDay)T\(Self.two(hour)):\(Self.two(minute)):\(Self.two(second))Z" }
    /// `20261125T210716.000000000Z`, as agents name their profiles.
    var compact: String { "\(compactDay)T\(Self.two(hour))\(Self.two(minute))\(Self.two(second)).000000000Z" }

    private static func two(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
