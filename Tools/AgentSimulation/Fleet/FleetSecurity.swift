// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL

/// TLS of all agents: the files are read once, and each connection begins with a handshake of its own.
public struct FleetSecurity: Sendable {
    /// Authorities that sign the proxy's certificate.
    public var authorityFile: String
    /// Certificate and key of all agents, if they have one.
    public var identity: (certificateFile: String, keyFile: String)?

    public init(authorityFile: String, identity: (certificateFile: String, keyFile: String)? = nil) {
        (self.authorityFile, self.identity) = (authorityFile, identity)
    }

    func makeContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authorityFile)
        configuration.applicationProtocols = ["h2"]
        // Agents know the proxy by any name, or by its address alone.
        configuration.certificateVerification = .noHostnameVerification
        if let identity {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(identity.certificateFile)
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: identity.keyFile, format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }
}
