// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Platform

@Suite struct ListeningSocketTests {
    private func port(of descriptor: Int32) throws -> UInt16 {
        try #require(ListeningSocket.localHostAndPort(of: descriptor).flatMap { UInt16($0.port) })
    }

    /// Somebody else has it, as systemd has what is in its store: the port is free all the same.
    @Test func listeningSocket_freesThePortWhenItStopsListening() throws {
        let first = try ListeningSocket.open(host: "127.0.0.1", port: 0)
        let elsewhere = dup(first)
        defer { close(elsewhere) }
        let port = try port(of: first)
        close(first)
        #expect(throws: ListeningSocket.Failure.inUse) { try ListeningSocket.open(host: "127.0.0.1", port: port) }
        ListeningSocket.stopListening(elsewhere)
        let second = try ListeningSocket.open(host: nil, port: port)
        close(second)
    }

    @Test func listeningSocket_comparesItsBindingWithASetting() throws {
        let one = try ListeningSocket.open(host: "127.0.0.1", port: 0)
        let every = try ListeningSocket.open(host: nil, port: 0)
        defer { for descriptor in [one, every] { close(descriptor) } }
        let port = try port(of: one)
        typealias Binding = ListeningSocket.Binding
        func binding(_ descriptor: Int32, _ host: String?, _ port: UInt16, mayWait: Bool = true) -> Binding {
            ListeningSocket.binding(of: descriptor, host: host, port: port, mayWait: mayWait)
        }
        #expect(binding(one, "127.0.0.1", port) == .same && binding(one, "localhost", 0) == .same)
        #expect(binding(one, "127.0.0.1", port ^ 1) == .other && binding(one, nil, port) == .other)
        #expect(binding(one, "127.0.0.2", port) == .other)
        #expect(binding(every, nil, 0) == .same && binding(every, "127.0.0.1", 0) == .other)
        // Where nobody waits for a resolver a name is another one.
        #expect(binding(one, "localhost", port, mayWait: false) == .other)
        // A name that cannot be resolved is not taken for another.
        guard case .unknown = binding(one, "no-such-host.invalid", port) else {
            Issue.record("a name that is never there")
            return
        }
    }

    /// A user who wants every address does not get IPv4 alone where there is IPv6.
    @Test func listeningSocket_doesNotTakeAllIPv4AddressesForAllAddresses() throws {
        let probe = try? ListeningSocket.open(host: "::1", port: 0)
        if let probe { close(probe) }
        let descriptor = try ListeningSocket.open(host: "0.0.0.0", port: 0)
        defer { close(descriptor) }
        #expect(
            ListeningSocket.binding(of: descriptor, host: nil, port: 0) == (probe == nil ? .same : .other))
    }
}
