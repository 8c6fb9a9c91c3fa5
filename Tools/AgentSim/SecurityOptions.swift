// SPDX-License-Identifier: Apache-2.0

import AgentSimulation
import ArgumentParser

/// Options for agents that connect with TLS.
struct SecurityOptions: ParsableArguments {
    @Option(help: "Authorities (PEM) that sign the proxy's certificate: agents connect with TLS.")
    var tlsCaFile: String?

    @Option(help: "Certificate of the agents (PEM), one for all.")
    var tlsCertFile: String?

    @Option(help: "Its key (PEM).")
    var tlsKeyFile: String?

    func settings() throws -> FleetSecurity? {
        guard let tlsCaFile else {
            guard tlsCertFile == nil, tlsKeyFile == nil else {
                throw ValidationError("--tls-cert-file, --tls-key-file: only with --tls-ca-file.")
            }
            return nil
        }
        switch (tlsCertFile, tlsKeyFile) {
        case (nil, nil): return FleetSecurity(authorityFile: tlsCaFile)
        case (let certificate?, let key?):
            return FleetSecurity(authorityFile: tlsCaFile, identity: (certificate, key))
        default: throw ValidationError("--tls-cert-file, --tls-key-file: both or none.")
        }
    }
}
