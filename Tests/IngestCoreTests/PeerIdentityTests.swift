// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Settings
import Testing
import TransportSecurity

@testable import IngestCore

@Suite struct PeerIdentityTests {
    private let names: [CertificateName] = [
        .dns("data-0.banyandb.ns"), .uri("spiffe://cluster.local/ns/ns/sa/banyandb"),
    ]

    @Test func peerIdentity_isThatOfTheNamesInAnyOrder() throws {
        let secret = try #require(InstallationSecret((0..<32).map { UInt8($0) }))
        let other = try #require(InstallationSecret((1..<33).map { UInt8($0) }))
        let hash = PeerIdentity.hash(of: names, secret: secret)
        #expect(hash != 0)
        #expect(PeerIdentity.hash(of: names.reversed(), secret: secret) == hash)
        #expect(PeerIdentity.hash(of: names, secret: other) != hash)
        #expect(PeerIdentity.hash(of: Array(names.prefix(1)), secret: secret) != hash)
        // The same text as a name of another kind is another name; a certificate without names is not no certificate.
        #expect(
            PeerIdentity.hash(of: [.dns("a")], secret: secret) != PeerIdentity.hash(of: [.email("a")], secret: secret))
        #expect(PeerIdentity.hash(of: [], secret: secret) != 0)
        #expect(
            PeerIdentity.hash(of: [.dns("a"), .dns("b")], secret: secret)
                != PeerIdentity.hash(of: [.dns("ab")], secret: secret))
    }

    @Test func peerIdentity_registersPodsThatOneOfItsNamesAllows() throws {
        let byPod = try #require(AgentIdentityPattern("dns:{pod_name}.banyandb.*"))
        #expect(PeerIdentity.mayRegister("data-0", names: names, by: byPod))
        #expect(!PeerIdentity.mayRegister("data-1", names: names, by: byPod))
        #expect(!PeerIdentity.mayRegister("data-0", names: [], by: byPod))
        let account = try #require(AgentIdentityPattern("spiffe://cluster.local/ns/*/sa/banyandb"))
        #expect(PeerIdentity.mayRegister("data-1", names: names, by: account))
        // Nothing to hold against the pattern, and no pattern to hold names against.
        #expect(PeerIdentity.mayRegister("data-1", names: nil, by: byPod))
        #expect(PeerIdentity.mayRegister("data-1", names: [], by: nil))
    }

    @Test func peerIdentity_opensStreamsOfAgentsThatItHasRegistered() throws {
        let secret = try #require(InstallationSecret((0..<32).map { UInt8($0) }))
        let owners: [[CertificateName]?] = [names, [.dns("data-1.banyandb.ns")], [], nil]
        for (number, owner) in owners.enumerated() {
            let registered = PeerIdentity.hash(of: owner, secret: secret)
            for (other, caller) in owners.enumerated() {
                let may = PeerIdentity.mayOpenStreams(names: caller, ofAgentOf: registered, secret: secret)
                #expect(may == (number == other), "caller \(other), owner \(number)")
            }
        }
    }

    @Test func peerIdentity_isShownCutOff() {
        #expect(PeerIdentity.text([]) == "no name")
        #expect(PeerIdentity.text([.address("10.1.2.3")]) == "ip:10.1.2.3")
        let many = (0..<50).map { CertificateName.dns("\($0)" + String(repeating: "x", count: 1000)) }
        #expect(PeerIdentity.text(many).utf8.count < 600)
    }
}
