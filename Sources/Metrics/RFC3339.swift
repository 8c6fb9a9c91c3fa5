// SPDX-License-Identifier: Apache-2.0

/// A time as `2026-02-02T09:59:00Z`. RFC 3339 has four digits for the year: times outside 0001...9999 become the
/// nearest end.
struct RFC3339 {
    private static let firstSecond: Int64 = -62_135_596_800
    private static let lastSecond: Int64 = 253_402_300_799

    let bytes: [UInt8]

    /// The second that is written.
    @inline(__always)
    static func second(of time: SampleTime) -> Int64 {
        let whole = time >= 0 ? time / 1_000_000 : -((999_999 - max(time, Int64.min + 1_000_000)) / 1_000_000)
        return min(max(whole, firstSecond), lastSecond)
    }

    init(_ time: SampleTime) {
        self.init(second: Self.second(of: time))
    }

    /// Seconds since the epoch.
    init(second: Int64) {
        let seconds = min(max(second, Self.firstSecond), Self.lastSecond)
        let day = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        let second = seconds - day * 86400
        // Days counted from 1 March of year 0 in eras of 400 years: leap days come last in each year, century and era.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)

        var bytes: [UInt8] = []
        bytes.reserveCapacity(20)
        func append(_ number: Int64, digits: Int, then separator: Character) {
            var divisor: Int64 = digits == 4 ? 1000 : 10
            while divisor > 0 {
                bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
                divisor /= 10
            }
            bytes.append(separator.asciiValue ?? 0)
        }
        append(year, digits: 4, then: "-")
        append(month, digits: 2, then: "-")
        append(dayOfMonth, digits: 2, then: "T")
        append(second / 3600, digits: 2, then: ":")
        append(second / 60 % 60, digits: 2, then: ":")
        append(second % 60, digits: 2, then: "Z")
        self.bytes = bytes
    }
}
