// SPDX-License-Identifier: Apache-2.0
import Settings
import TestSupport
import Testing

@Suite struct DurationSyntaxTests {
    /// The result of Go's time.ParseDuration, in nanoseconds.
    @Test(
        arguments: [
            ("0", 0), ("5s", 5_000_000_000), ("30s", 30_000_000_000), ("1478s", 1_478_000_000_000),
            ("-5s", -5_000_000_000),
            ("+5s", 5_000_000_000), ("-0", 0), ("+0", 0), ("5.0s", 5_000_000_000), ("5.6s", 5_600_000_000),
            ("5.s", 5_000_000_000), (".5s", 500_000_000), ("1.0s", 1_000_000_000), ("1.004s", 1_004_000_000),
            ("100.00100s", 100_001_000_000), ("10ns", 10), ("11us", 11_000), ("12µs", 12_000), ("12μs", 12_000),
            ("13ms", 13_000_000), ("14s", 14_000_000_000), ("15m", 900_000_000_000), ("16h", 57_600_000_000_000),
            ("3h30m", 12_600_000_000_000), ("10.5s4m", 250_500_000_000), ("-2m3.4s", -123_400_000_000),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006), ("39h9m14.425s", 140_954_425_000_000),
            ("9007199254740993ns", 9_007_199_254_740_993), ("9223372036854775807ns", Int64.max),
            ("9223372036854775.807us", Int64.max), ("-9223372036854775808ns", Int64.min),
            ("-2562047h47m16.854775808s", Int64.min), ("0.100000000000000000000h", 360_000_000_000),
            ("0.3333333333333333333h", 1_200_000_000_000), ("0.9223372036854775807h", 3_320_413_933_267),
        ] as [(String, Int64)])
    func durationSyntax_parsesLikeGo(text: String, nanoseconds: Int64) {
        #expect(Duration(goSyntax: text)?.wholeNanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "", "3", "-", "s", ".", "-.", ".s", "+.s", "1d", "1 s", " 1s", "1s ", "1.2.3s", "--1s", "1e3s",
        "9223372036854775808ns",
        "9223372036854775.808us", "3000000h", "9223372036854ms775us808ns", "-9223372036854775809ns", "1h-30m", "１s",
        "18446744073709551616ns", "\u{85}\u{85}", "5S",
    ])
    func durationSyntax_rejectsInvalidText(text: String) {
        #expect(Duration(goSyntax: text) == nil)
    }

    @Test(
        arguments: [
            (0, "0s"), (1, "1ns"), (1100, "1.1µs"), (2_200_000, "2.2ms"), (3_300_000_000, "3.3s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"), (18_367_001_000_000, "5h6m7.001s"), (480_000_000_001, "8m0.000000001s"),
            (-30_000_000_000, "-30s"), (Int64.max, "2562047h47m16.854775807s"),
            (Int64.min, "-2562047h47m16.854775808s"),
        ] as [(Int64, String)])
    func durationSyntax_writesLikeGo(nanoseconds: Int64, text: String) {
        #expect(Duration.nanoseconds(nanoseconds).goSyntax == text)
    }

    @Test(arguments: [1 as UInt64, 2, 3]) func durationSyntax_parsesWhatItWrites(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let nanoseconds = Int64(bitPattern: random.next()) >> Int64(random.next() % 60)
            let text = Duration.nanoseconds(nanoseconds).goSyntax
            // Go's own fraction arithmetic rounds above 2^53; up to a day it is exact.
            guard nanoseconds.magnitude < 86_400_000_000_000 else { continue }
            #expect(Duration(goSyntax: text)?.wholeNanoseconds == nanoseconds, "seed \(seed), \(text)")
        }
    }
}

@Suite struct ListenAddressTests {
    @Test(
        arguments: [
            (":17912", nil, 17912), ("127.0.0.1:80", "127.0.0.1", 80), ("localhost:0", "localhost", 0),
            ("[::1]:65535", "::1", 65535),
            ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
        ] as [(String, String?, UInt16)])
    func listenAddress_parsesAddresses(text: String, host: String?, port: UInt16) {
        let address = ListenAddress(text)
        #expect(address == ListenAddress(host: host, port: port))
        #expect(address?.description == text)
    }

    @Test(arguments: [
        "", ":", "17912", "host", "host:", ":65536", ":-1", ":+1", ":http", "::1:80", "[::1]", "[]:80", "[host]:80",
        "[::1:80",
        "::1]:80", "a b:80", "1.2.3.4:80 ", "[[::1]]:80", "ho\u{0}st:80", "é:80",
    ])
    func listenAddress_rejectsInvalidAddresses(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}

@Suite struct ByteSizeTests {
    @Test(arguments: [
        ("0", 0), ("33554432", 33_554_432), ("1B", 1), ("1KiB", 1024), ("80MiB", 83_886_080), ("2GiB", 2_147_483_648),
        ("1KB", 1000), ("3MB", 3_000_000), ("1GB", 1_000_000_000),
    ])
    func byteSize_parsesSizes(text: String, bytes: Int) {
        #expect(ByteSize.parse(text) == bytes)
    }

    @Test(arguments: [
        "", "MiB", "-1", "+1", "1.5GiB", "1 MiB", "1mib", "1M", "0x10", "9223372036854775808", "9999999999GiB",
    ])
    func byteSize_rejectsInvalidSizes(text: String) {
        #expect(ByteSize.parse(text) == nil)
    }

    @Test(arguments: [0, 1, 1000, 1024, 83_886_080, 2_147_483_648, 33_554_433])
    func byteSize_parsesWhatItWrites(bytes: Int) {
        #expect(ByteSize.parse(ByteSize.format(bytes)) == bytes)
    }
}
