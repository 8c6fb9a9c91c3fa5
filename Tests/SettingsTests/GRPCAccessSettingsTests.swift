// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

/// Rules between the flags of the agents' listeners.
@Suite struct GRPCAccessSettingsTests {
    private static let tls: [(SettingsFlag, String)] = [
        (.grpcTLSListenAddress, ":17914"), (.grpcTLSCertificateFile, "/tls/tls.crt"), (.grpcTLSKeyFile, "/tls/tls.key"),
    ]
    private static let mutual = tls + [(.grpcTLSClientAuthorityFile, "/tls/ca.crt"), (.grpcTLSClientAuth, "require")]

    private func resolve(_ flags: [(SettingsFlag, String)]) throws(SettingsError) -> ProxySettings {
        try ProxySettings.resolve(
            flags: flags.map { (flag: $0.0, value: $0.1) }, environment: { _ in nil },
            machine: MachineLimits(cpus: 1, memoryBytes: nil))
    }

    @Test func agentsTLS_isTakenAndTravelsAsText() throws {
        let flags =
            Self.mutual + [
                (.grpcListenAddress, "none"), (.grpcAgentIdentity, "dns:{pod_name}.banyandb.*"),
                (.grpcAllowFrom, "10.0.0.0/8"),
            ]
        let settings = try resolve(flags)
        #expect(settings.grpcListenAddress == nil && settings.grpcTLSListenAddress?.port == 17914)
        #expect(settings.grpcTLSClientAuth == .require)
        for (flag, value) in flags { #expect(settings.text(of: flag) == value) }
        #expect(try ProxySettings(flagValues: settings.flagValues) == settings)
    }

    @Test(
        arguments: [
            (
                [(.grpcListenAddress, "none")], "--grpc-listen-addr",
                "an address, because --grpc-tls-listen-addr is \"none\""
            ),
            ([(.grpcTLSListenAddress, ":17914")], "--grpc-tls-cert-file", "a file in PEM"),
            (Array(tls.prefix(2)), "--grpc-tls-key-file", "a file in PEM"),
            ([(.grpcTLSCertificateFile, "/a")], "--grpc-tls-cert-file", "with an address in --grpc-tls-listen-addr"),
            ([(.grpcTLSClientAuth, "optional")], "--grpc-tls-client-auth", "with an address in --grpc-tls-listen-addr"),
            (tls + [(.grpcTLSClientAuth, "optional")], "--grpc-tls-client-ca-file", "client-auth is optional"),
            (tls + [(.grpcTLSClientAuthorityFile, "/a")], "--grpc-tls-client-auth", "optional or require"),
            (
                tls + [(.grpcAgentIdentity, "dns:a")], "--grpc-agent-identity",
                "without certificates there is no identity"
            ),
            (mutual + [(.grpcAgentIdentity, "banyandb")], "--grpc-agent-identity", "dns:, uri:, email: or ip:"),
            (tls + [(.grpcTLSListenAddress, ":17912")], "--grpc-tls-listen-addr", "than --grpc-listen-addr's"),
            (tls + [(.grpcTLSListenAddress, ":17913")], "--http-listen-addr", "than --grpc-tls-listen-addr's"),
            ([(.grpcTLSListenAddress, "17914")], "--grpc-tls-listen-addr", "or none"),
            ([(.grpcTLSClientAuth, "must")], "--grpc-tls-client-auth", "one of none, optional, require"),
            ([(.grpcAllowFrom, "10.0.0.0/33")], "--grpc-allow-from", "a list of at most"),
        ] as [([(SettingsFlag, String)], String, String)])
    func agentsTLS_refusesWhatWouldHaveNoEffect(flags: [(SettingsFlag, String)], option: String, allowed: String) {
        let error = #expect(throws: SettingsError.self) { try resolve(flags) }
        #expect(error?.description.hasPrefix(option) == true, "\(String(describing: error))")
        #expect(error?.allowed.contains(allowed) == true, "\(String(describing: error))")
    }

    @Test func agentsTLS_portZeroIsAnyPort() throws {
        #expect(
            try resolve(Self.tls + [(.grpcTLSListenAddress, ":0"), (.grpcListenAddress, ":0")]).grpcListenAddress?.port
                == 0)
    }
}
