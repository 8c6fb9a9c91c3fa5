// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AgentSimulation

@Suite struct AddressTests {
    @Test(arguments: [
        ("localhost:17912", "localhost", 17912), (":80", "127.0.0.1", 80), ("[::1]:9", "::1", 9),
        ("10.0.0.1:65535", "10.0.0.1", 65535),
    ])
    func simulatorAddress_parsesEndpoints(text: String, host: String, port: Int) {
        #expect(ProxyEndpoint(text) == ProxyEndpoint(host: host, port: port))
    }

    @Test(arguments: ["", "localhost", "localhost:", "localhost:0", "localhost:65536", "::1:80", "a:b", "a:-1"])
    func simulatorAddress_rejectsInvalidEndpoints(text: String) {
        #expect(ProxyEndpoint(text) == nil)
    }

    @Test(arguments: [
        ("http://h", "h", 80, "/metrics"), ("http://h:9100/metrics", "h", 9100, "/metrics"),
        ("HTTP://h/", "h", 80, "/"),
        ("http://h?x=1", "h", 80, "/?x=1"), ("http://[::1]:1/a?b#c", "::1", 1, "/a?b"),
        ("http://[::1]", "::1", 80, "/metrics"),
    ])
    func simulatorAddress_parsesURLs(text: String, host: String, port: Int, target: String) throws {
        let url = try #require(ScrapeURL(text))
        #expect(url.endpoint == ProxyEndpoint(host: host, port: port))
        #expect(url.target == target)
    }

    @Test(arguments: [
        "", "h", "https://h", "http://", "http://u@h", "http://h:x", "http://h/a b", "http://h/\r\nX: y",
        "http:///metrics",
    ])
    func simulatorAddress_rejectsInvalidURLs(text: String) {
        #expect(ScrapeURL(text) == nil)
    }
}
