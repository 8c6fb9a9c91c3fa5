// SPDX-License-Identifier: Apache-2.0
import Calendar

/// Names of segments, artifacts and profiles.
extension CivilTime {
    /// `20261125`
    var compactDay: String { "\(year)\(Self.two(month))\(Self.two(day))" }
    /// `2026-11-25`
    var dashedDay: String { "\(year)-\(Self.two(month))-\(Self.two(day))" }
    /// `20261125T210716.000000000Z`, as agents name their profiles.
    var compact: String { "\(compactDay)T\(Self.two(hour))\(Self.two(minute))\(Self.two(second)).000000000Z" }

    private static func two(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}

extension RFC3339 {
    static func text(seconds: Int64) -> String { text(EpochTime(seconds: seconds), fraction: .none) }
}
