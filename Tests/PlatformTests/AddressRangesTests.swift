// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Platform

struct AddressRangesTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.1", "10.0.0.1", true),
        ("10.0.0.1", "10.0.0.2", false), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
        ("192.168.1.128/25", "192.168.1.127", false), ("192.168.1.128/25", "192.168.1.128", true),
        ("192.168.1.130/25", "192.168.1.129", true), ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false),
        ("2001:db8:0:10::/60", "2001:db8:0:1f::9", true), ("2001:db8:0:10::/60", "2001:db8:0:20::9", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("::/0", "10.1.2.3", false),
        ("10.0.0.1, 127.0.0.0/8", "127.0.0.1", true), ("fe80::/10", "fe80::1%eth0", true), ("0.0.0.0/0", "unix", false),
    ])
    func addressRanges_containAddressesOfTheirNetworks(text: String, host: String, isInside: Bool) throws {
        let ranges = try #require(AddressRanges(text))
        #expect(ranges.contains(host: host) == isInside)
        #expect(ranges.description == text)
    }

    @Test(arguments: [
        "", ",", "10.0.0.0/8,", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/", "10.0.0.0/8/8", "::/129",
        "localhost", "10.0.0", "10.0.0.256", "::ffff:10.0.0.0/95", "10.0.0.0/0008",
    ])
    func addressRanges_rejectMalformedNetworks(text: String) {
        #expect(AddressRanges(text) == nil)
    }

    @Test func addressRanges_limitTheList() {
        let part = "10.0.0.1"
        #expect(AddressRanges(Array(repeating: part, count: AddressRanges.limitRanges).joined(separator: ",")) != nil)
        #expect(
            AddressRanges(Array(repeating: part, count: AddressRanges.limitRanges + 1).joined(separator: ",")) == nil)
    }
}
