// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Calendar

@Suite struct CivilTimeTests {
    /// Every 11 hours and some seconds from the year 1 to 2400, and around the ends of years and centuries.
    @Test func civilTime_agreesWithTheCLibrary() {
        var moments = Array(stride(from: Int64(-62_135_596_800), to: 13_569_465_600, by: 39_600 * 7 + 13))
        for year in stride(from: 0, through: 2400, by: 100) {
            let start = CivilTime.daysSinceEpoch(year: year, month: 3, day: 1) * CivilTime.secondsPerDay
            moments += [start - 86_401, start - 1, start, start + 1]
        }
        var differing = 0
        for moment in moments {
            var (second, parts) = (time_t(moment), tm())
            gmtime_r(&second, &parts)
            let time = CivilTime(secondsSinceEpoch: moment)
            let mine = [time.year, time.month, time.day, time.hour, time.minute, time.second, time.weekday]
            let theirs = [
                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                parts.tm_wday,
            ].map(Int.init)
            if mine != theirs { differing += 1 }
            let days = CivilTime.daysSinceEpoch(year: time.year, month: time.month, day: time.day)
            if days != moment.flooredDivision(by: CivilTime.secondsPerDay).quotient { differing += 1 }
        }
        #expect(differing == 0)
    }

    @Test func civilTime_acceptsTheEndsOfInt64() {
        #expect(CivilTime(secondsSinceEpoch: .max).year == 292_277_026_596)
        #expect(CivilTime(secondsSinceEpoch: .min).year == -292_277_022_657)
    }
}

@Suite struct EpochTimeTests {
    @Test func epochTime_carriesNanosecondsIntoSeconds() {
        #expect(EpochTime(seconds: 5, nanoseconds: -1) == EpochTime(seconds: 4, nanoseconds: 999_999_999))
        #expect(EpochTime(seconds: 5, nanoseconds: 2_000_000_001) == EpochTime(seconds: 7, nanoseconds: 1))
        #expect(EpochTime(seconds: .min, nanoseconds: -1) == EpochTime(seconds: .min, nanoseconds: 999_999_999))
        #expect(EpochTime(nanosecondsSinceEpoch: -1) == EpochTime(seconds: -1, nanoseconds: 999_999_999))
    }

    @Test(arguments: [0, 1, -1, .max, .min, 1_770_026_340_123_456_789] as [Int64])
    func epochTime_givesBackNanoseconds(nanoseconds: Int64) {
        #expect(EpochTime(nanosecondsSinceEpoch: nanoseconds).clampedNanosecondsSinceEpoch == nanoseconds)
    }
}

@Suite struct RFC3339Tests {
    @Test(
        arguments: [
            (0, 0, "1970-01-01T00:00:00Z"), (-1, 0, "1969-12-31T23:59:59Z"), (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59Z"), (1_770_026_340, 0, "2026-02-02T09:59:00Z"),
            (-62_135_596_800, 0, "0001-01-01T00:00:00Z"), (.max, 0, "9999-12-31T23:59:59Z"),
            (.min, 0, "0001-01-01T00:00:00Z"), (1, 5, "1970-01-01T00:00:01Z"),
        ] as [(Int64, Int32, String)])
    func rfc3339_writesWholeSeconds(seconds: Int64, nanoseconds: Int32, text: String) {
        #expect(RFC3339.text(EpochTime(seconds: seconds, nanoseconds: nanoseconds), fraction: .none) == text)
        #expect(text.utf8.count == RFC3339.wholeSecondBytes)
    }

    @Test(
        arguments: [
            (0, ".000", "", ""), (1, ".000", ".000000001", ".000000001"), (120_000_000, ".120", ".120", ".12"),
            (999_999_999, ".999", ".999999999", ".999999999"), (10_000, ".000", ".000010", ".00001"),
            (123_456_000, ".123", ".123456", ".123456"),
        ] as [(Int32, String, String, String)])
    func rfc3339_writesFractions(nanoseconds: Int32, milliseconds: String, groups: String, needed: String) {
        let time = EpochTime(seconds: 0, nanoseconds: nanoseconds)
        for (fraction, text) in [(.milliseconds, milliseconds), (.groupsOfThree, groups), (.needed, needed)]
            as [(RFC3339.Fraction, String)]
        {
            #expect(RFC3339.text(time, fraction: fraction) == "1970-01-01T00:00:00\(text)Z")
        }
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999_000_000, "2024-02-29T23:59:59.999Z"),
            (1_709_251_200_000_000_000, "2024-03-01T00:00:00.000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"), (Int64.max, "2262-04-11T23:47:16.854Z"),
            (Int64.min, "1677-09-21T00:12:43.145Z"),
        ] as [(Int64, String)])
    func rfc3339_writesMilliseconds(nanoseconds: Int64, text: String) {
        #expect(RFC3339.text(EpochTime(nanosecondsSinceEpoch: nanoseconds), fraction: .milliseconds) == text)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0 as Int64),
        ("2026-02-02T09:59:00Z", 1_770_026_340_000_000_000),
        ("2026-02-02T11:59:00+02:00", 1_770_026_340_000_000_000),
        ("2024-02-29T23:59:59.123456789Z", 1_709_251_199_123_456_789),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("2026-02-02T09:59:00,1234567899Z", 1_770_026_340_123_456_789),
    ])
    func rfc3339_parsesTimes(text: String, nanoseconds: Int64) {
        #expect(RFC3339.parse(text)?.clampedNanosecondsSinceEpoch == nanoseconds)
    }

    /// Clients that mean everything say such times.
    @Test(arguments: [
        ("0001-01-01T00:00:00Z", Int64.min), ("0000-01-01T00:00:00Z", .min), ("1677-09-21T00:12:43Z", .min),
        ("1677-09-21T00:12:44Z", -9_223_372_036_000_000_000), ("2262-04-11T23:47:16Z", 9_223_372_036_000_000_000),
        ("2262-04-11T23:47:17Z", .max), ("9999-12-31T23:59:59Z", .max), ("9999-12-31T23:59:59.999999999-23:59", .max),
    ])
    func rfc3339_clampsTimesOutsideTheRange(text: String, nanoseconds: Int64) {
        #expect(RFC3339.parse(text)?.clampedNanosecondsSinceEpoch == nanoseconds)
    }

    @Test(arguments: [
        "", "now", "1770026340", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-02-02 09:59:00Z",
        "2026-02-02T09:59:00", "2026-02-02T24:00:00Z", "2026-02-02T09:60:00Z", "2026-02-02T09:59:00.Z",
        "2026-02-02T09:59:00+25:00", "2026-02-02T09:59:00ZZ", "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
    ])
    func rfc3339_rejectsEverythingElse(text: String) {
        #expect(RFC3339.parse(text) == nil)
    }

    @Test func rfc3339_parsesTheTimesThatItWrites() {
        for seconds in stride(from: Int64(-62_135_596_800), through: 253_402_300_799, by: 1_000_003_213) {
            let time = EpochTime(seconds: seconds, nanoseconds: Int32(truncatingIfNeeded: seconds & 0xff_ffff))
            #expect(RFC3339.parse(RFC3339.text(time, fraction: .needed)) == time)
        }
    }
}
