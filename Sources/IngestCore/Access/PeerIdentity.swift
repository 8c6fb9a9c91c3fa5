// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Settings
import TransportSecurity

/// The identity of a connection: the names in its certificate; `nil` where it has presented none.
enum PeerIdentity {
    /// Names the identity in slots of agents; 0: the connection has presented no certificate.
    static func hash(of names: [CertificateName]?, secret: InstallationSecret) -> UInt64 {
        guard let names else { return 0 }
        return secret.peerHash(ofNames: names.map { "\($0.kind.rawValue):\($0.text)" })
    }

    /// Whether the connection may register this pod. One without a certificate has nothing to be held against the pattern:
    /// `--grpc-tls-client-auth require` and `--grpc-listen-addr none` keep these out.
    static func mayRegister(_ podName: String, names: [CertificateName]?, by pattern: AgentIdentityPattern?) -> Bool {
        guard let pattern, let names else { return true }
        return names.contains { pattern.matches($0.text, kind: $0.kind, podName: podName) }
    }

    /// Whether the connection may open streams of an agent that the identity `registered` has registered: whoever has
    /// overheard an id cannot use it.
    static func mayOpenStreams(
        names: [CertificateName]?, ofAgentOf registered: UInt64, secret: InstallationSecret
    ) -> Bool {
        registered == hash(of: names, secret: secret)
    }

    /// For people; `no name` for a certificate without any.
    static func text(_ names: [CertificateName]) -> String {
        guard !names.isEmpty else { return "no name" }
        let shown = names.prefix(limitShown).map { "\($0.kind.rawValue):\($0.text.prefix(limitCharacters))" }
        return shown.joined(separator: ", ") + (names.count > limitShown ? ", …" : "")
    }

    /// A log line is no certificate.
    private static let limitShown = 4
    private static let limitCharacters = 128
}

extension CertificateName {
    var kind: AgentIdentityPattern.Kind {
        switch self {
        case .dns: .dns
        case .email: .email
        case .uri: .uri
        case .address: .ip
        }
    }
}
