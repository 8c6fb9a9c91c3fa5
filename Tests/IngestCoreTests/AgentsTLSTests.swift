// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing
import TransportSecurity

@testable import IngestCore

@Suite struct AgentsTLSTests {
    private func settings(_ more: [(SettingsFlag, String)] = []) throws -> TLSServerSettings? {
        let flags: [(SettingsFlag, String)] = [
            (.grpcTLSListenAddress, "127.0.0.1:17914"), (.grpcTLSCertificateFile, "/etc/fodc/tls.crt"),
            (.grpcTLSKeyFile, "/etc/fodc/tls.key"),
        ]
        return TLSServerSettings(agentsOf: try ProxySettings(flagValues: (flags + more).map { (flag: $0, value: $1) }))
    }

    @Test(arguments: [
        ("none", ClientCertificatePolicy.notRequested), ("optional", .verifiedIfGiven), ("require", .required),
    ])
    func agentsTLS_demandsTheCertificatesThatTheFlagSays(auth: String, policy: ClientCertificatePolicy) throws {
        let authority = (SettingsFlag.grpcTLSClientAuthorityFile, "/etc/fodc/ca.crt")
        let tls = try #require(try settings([(.grpcTLSClientAuth, auth)] + (auth == "none" ? [] : [authority])))
        #expect(tls.clientPolicy == policy)
        #expect(tls.clientAuthorities == (auth == "none" ? nil : .file("/etc/fodc/ca.crt")))
        #expect(tls.applicationProtocols == ["h2"])
    }

    @Test func agentsTLS_isOffWithoutItsListener() throws {
        #expect(TLSServerSettings(agentsOf: ProxySettings()) == nil)
    }
}
