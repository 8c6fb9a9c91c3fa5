// SPDX-License-Identifier: Apache-2.0
import Foundation
import Platform
import Testing

/// Reports are byte for byte what the writer before this one, which walked through the messages' descriptions, made of the same
/// 10,000 random messages of each kind. `FODC_PRINT_GOLDEN=1` prints the checksums of what is made now.
@Suite struct GoldenReportsTests {
    private static let messagesPerBatch = 1000

    /// Makes reports until they are of enough messages. All together as a length and a CRC-32C.
    private func batch(
        _ seed: UInt64, _ make: (inout RandomReports) -> (json: [UInt8], messages: Int)
    ) throws -> String {
        var random = RandomReports(seed: seed)
        var (messages, byteCount, checksum) = (0, 0, UInt32(0))
        while messages < Self.messagesPerBatch {
            let report = make(&random)
            if byteCount < 1 << 17 { _ = try JSONSerialization.jsonObject(with: Data(report.json)) }
            messages += report.messages
            byteCount += report.json.count
            checksum = CRC32C.checksum(report.json.span.bytes, after: checksum)
        }
        return "\(byteCount):" + String(checksum, radix: 16)
    }

    private func hold(
        _ golden: [String], _ make: (inout RandomReports) -> (json: [UInt8], messages: Int)
    ) throws {
        let made = try (1...10).map { try batch($0, make) }
        if ProcessInfo.processInfo.environment["FODC_PRINT_GOLDEN"] != nil { print(made) }
        for (seed, (mine, theirs)) in zip(made, golden).enumerated() { #expect(mine == theirs, "seed \(seed + 1)") }
        #expect(golden.count == made.count)
    }

    @Test func goldenReports_showTopologies() throws {
        let golden = [
            "415441:5789b3db", "403244:6426d81b", "400040:4b3140c6", "410418:a38ed80e", "405907:90565e63",
            "410577:5cda3ab7", "421045:d40e1b7b", "402093:df1868b8", "384790:7eb7c10", "403588:9f8a6ccc",
        ]
        try hold(golden) { $0.topology() }
    }

    @Test func goldenReports_showLifecycles() throws {
        let golden = [
            "2697059:19f17e40", "2636778:f2d7086a", "2550023:feccfc7e", "2633755:9b22bf1b", "2757174:961872fc",
            "2553891:fe8235d3", "2704895:bbeca1f6", "2685768:de887367", "2587289:eeeb5cf8", "2730453:1da72ef8",
        ]
        try hold(golden) { $0.lifecycle() }
    }

    @Test func goldenReports_showCrashDiagnostics() throws {
        let golden = [
            "297787:bbd8f7a1", "295496:5c8ceb6a", "284736:8d47a552", "291422:773fb983", "285202:332acb97",
            "284834:729364c2", "291985:8a9be65f", "288057:2f55aa12", "274758:355f13d1", "296361:cda0aa3f",
        ]
        try hold(golden) { $0.diagnostics() }
    }

    @Test func goldenReports_showPressureProfiles() throws {
        let golden = [
            "317045:47903304", "336635:37f8a3ae", "335660:aeafcb7b", "336049:55794102", "325141:7d7e5bfe",
            "323405:772acb40", "342140:57f5726d", "320451:3050a76f", "333023:2a62b943", "316014:df8a0950",
        ]
        try hold(golden) { $0.pressureProfiles() }
    }

    @Test func goldenReports_showConfigurations() throws {
        let golden = [
            "486221:41ac9e14", "468294:da346211", "488286:11b295fa", "480361:6ec7c187", "484833:583e649",
            "497223:f1fdcbcf", "487478:2f1827ec", "479188:53b5767", "507115:fad926aa", "505320:14b2b508",
        ]
        try hold(golden) { $0.configurations() }
    }

    @Test func goldenReports_showClusters() throws {
        let golden = [
            "399709:dde18807", "402953:46eb8b40", "403134:64412e2e", "401763:99443150", "403992:27fa7382",
            "399712:c8316458", "402589:76647144", "399588:2e21b9bd", "407325:853464ef", "400317:3e2d9992",
        ]
        try hold(golden) { $0.cluster() }
    }
}
