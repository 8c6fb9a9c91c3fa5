// SPDX-License-Identifier: Apache-2.0

/// Whether agents present certificates on the TLS listener (`--grpc-tls-client-auth`).
public enum GRPCClientAuth: String, CaseIterable, Sendable {
    /// Not asked for.
    case none
    /// One that is presented must be signed by a known authority; an agent without one is served.
    case optional
    /// Must be there, and signed by a known authority.
    case require
}

extension ProxySettings {
    /// Rules between the listeners, and between what belongs to the agents' TLS. A file or a rule that would have no effect is
    /// refused: its operator believes in it.
    func checkListeners(
        _ refuse: (_ flag: SettingsFlag, _ allowed: String) -> SettingsError
    ) throws(SettingsError) {
        let listeners: [(flag: SettingsFlag, address: ListenAddress?)] = [
            (.grpcListenAddress, grpcListenAddress), (.grpcTLSListenAddress, grpcTLSListenAddress),
            (.httpListenAddress, httpListenAddress),
        ]
        for (index, later) in listeners.enumerated() {
            for earlier in listeners[..<index] where later.address == earlier.address {
                guard let port = later.address?.port, port != 0 else { continue }
                throw refuse(later.flag, "another address than \(earlier.flag.option)'s, which is the same")
            }
        }
        guard grpcListenAddress != nil || grpcTLSListenAddress != nil else {
            throw refuse(
                .grpcListenAddress,
                "an address, because \(SettingsFlag.grpcTLSListenAddress.option) is \"none\" as well and agents need one "
                    + "of them")
        }
        try checkAgentsTLS(refuse)
    }

    private func checkAgentsTLS(
        _ refuse: (_ flag: SettingsFlag, _ allowed: String) -> SettingsError
    ) throws(SettingsError) {
        let files: [(flag: SettingsFlag, path: String?)] = [
            (.grpcTLSCertificateFile, grpcTLSCertificateFile), (.grpcTLSKeyFile, grpcTLSKeyFile),
            (.grpcTLSClientAuthorityFile, grpcTLSClientAuthorityFile),
        ]
        let listener = SettingsFlag.grpcTLSListenAddress.option
        if grpcTLSListenAddress == nil {
            for file in files where file.path != nil {
                throw refuse(file.flag, "none, or with an address in \(listener), which alone uses it")
            }
            guard grpcTLSClientAuth == .none else {
                throw refuse(.grpcTLSClientAuth, "none, or with an address in \(listener), which alone uses it")
            }
        } else {
            for file in files[..<2] where file.path == nil {
                throw refuse(file.flag, "a file in PEM, because \(listener) is set")
            }
        }
        guard grpcTLSClientAuth == .none || grpcTLSClientAuthorityFile != nil else {
            throw refuse(
                .grpcTLSClientAuthorityFile,
                "a file with the authorities of the agents' certificates, because "
                    + "\(SettingsFlag.grpcTLSClientAuth.option) is \(grpcTLSClientAuth.rawValue)")
        }
        guard grpcTLSClientAuth != .none || grpcTLSClientAuthorityFile == nil else {
            throw refuse(
                .grpcTLSClientAuth,
                "optional or require, because \(SettingsFlag.grpcTLSClientAuthorityFile.option) is set")
        }
        guard grpcAgentIdentity == nil || grpcTLSClientAuth != .none else {
            throw refuse(
                .grpcAgentIdentity,
                "none, or with \(SettingsFlag.grpcTLSClientAuth.option) optional or require: without certificates "
                    + "there is no identity")
        }
    }
}
