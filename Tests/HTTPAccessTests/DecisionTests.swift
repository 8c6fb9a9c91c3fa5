// SPDX-License-Identifier: Apache-2.0
import Credentials
import Platform
import Testing
import WebConfig

@testable import HTTPAccess

/// The parts of the gate that decide, without a server.
struct DecisionTests {
    private static let second: UInt64 = 1_000_000_000

    @Test(arguments: [
        ("/-/healthy", AccessArea.probe), ("/-/ready", .probe), ("/health", .health), ("/", .anyCredentials),
        ("/openapi.yaml", .anyCredentials), ("/metrics", .scope(.metrics)), ("/metrics-windows", .scope(.metrics)),
        ("/cluster/config", .scope(.read)), ("/diagnostics", .scope(.profiles)),
        ("/pressure-profiles", .scope(.profiles)),
        ("/pressure-profiles/a/b/heap", .scope(.profiles)), ("/-/other", .scope(.read)), ("/metrics/", .scope(.read)),
        ("/black-box/pod/summary", .scope(.read)), ("/incidents", .scope(.read)), ("/incidents/1", .scope(.read)),
        ("/incidents/1/bundle", .scopes([.read, .profiles])), ("/incidents/1/2/bundle", .scopes([.read, .profiles])),
        ("/anything", .scope(.read)), ("//metrics", .scope(.read)), ("/healthy", .scope(.read)),
    ])
    func accessArea_deniesUnknownPaths(path: String, area: AccessArea) {
        #expect(AccessArea(path: path) == area)
    }

    @Test func penalties_growAfterTheFreeFailures() {
        var penalties = PasswordPenalties()
        let source = NetworkSource(host: "192.0.2.1")
        var delays: [UInt64] = []
        for _ in 0..<12 {
            penalties.failed(source, now: Self.second)
            delays.append(penalties.delayNanoseconds(of: source, now: Self.second) / Self.second)
        }
        #expect(delays == [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60])
        let later = [31, 61].map { penalties.delayNanoseconds(of: source, now: $0 * Self.second) / Self.second }
        #expect(later == [30, 0])
        let ofAnother = penalties.delayNanoseconds(of: NetworkSource(host: "192.0.2.2"), now: Self.second)
        #expect(ofAnother == 0)
    }

    @Test func penalties_endWithACorrectPasswordOrWithTime() {
        var penalties = PasswordPenalties()
        let source = NetworkSource(host: "192.0.2.1")
        for _ in 0..<8 { penalties.failed(source, now: 0) }
        penalties.succeeded(source)
        #expect(penalties.count == 0)
        for _ in 0..<8 { penalties.failed(source, now: 0) }
        let delay = penalties.delayNanoseconds(of: source, now: 700 * Self.second)
        #expect(delay == 0)
        #expect(penalties.count == 0)
    }

    @Test func penalties_areBounded() {
        var penalties = PasswordPenalties()
        for number in 0..<PasswordPenalties.limitSources + 10 {
            let source = NetworkSource(host: "10.\(number / 65536).\(number / 256 % 256).\(number % 256)")
            penalties.failed(source, now: UInt64(number))
        }
        #expect(penalties.count == PasswordPenalties.limitSources)
    }

    @Test func verifiedPasswords_areKeptByUserHashAndPassword() throws {
        var verified = VerifiedPasswords()
        let one = try PasswordHash("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
        let other = try PasswordHash("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a")
        let key = verified.key(hash: one, password: [1])
        #expect(!verified.contains(key))
        verified.insert(key)
        verified.insert(key)
        #expect(verified.contains(verified.key(hash: one, password: [1])))
        #expect(!verified.contains(verified.key(hash: one, password: [2])))
        #expect(!verified.contains(verified.key(hash: other, password: [1])))
        #expect(VerifiedPasswords().key(hash: one, password: [1]) != key)
        for number in 0..<VerifiedPasswords.limitEntries {
            verified.insert(verified.key(hash: one, password: [3, UInt8(number & 255)]))
        }
        #expect(!verified.contains(key))
    }

    @Test func requestRate_allowsABurstAndThenOnePerInterval() {
        var rate = RequestRate(WebConfig.RateLimit(intervalNanoseconds: 100, burst: 3), now: 1000)
        let times: [UInt64] = [1000, 1000, 1000, 1000, 1099, 1100, 1199, 1250, 1300, 1300]
        let admitted = times.map { rate.admit(now: $0) }
        #expect(admitted == [true, true, true, false, false, true, false, true, true, false])
        let afterAPause = (0..<5).map { _ in rate.admit(now: 1_000_000) }
        #expect(afterAPause == [true, true, true, false, false])
    }
}
