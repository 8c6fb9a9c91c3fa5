// SPDX-License-Identifier: Apache-2.0
import NIOSSL

/// The settings of a TLS listener. The certificate itself is read by ``TLSServerContext/load(_:files:)``.
public struct TLSServerSettings: Equatable, Sendable {
    /// The leaf first, then what leads to the root.
    public var certificateChain: PEMSource
    public var privateKey: PEMSource
    public var clientPolicy = ClientCertificatePolicy.notRequested
    /// The authorities that sign clients' certificates; `nil`: no authority is trusted.
    public var clientAuthorities: PEMSource?
    /// Subject alternative names, of which a client's certificate must have one; nil: any certificate is taken.
    public var allowedClientNames: Set<String>?
    public var minimumVersion = TLSVersion.tlsv12
    public var maximumVersion = TLSVersion.tlsv13
    /// Suites up to TLS 1.2; empty: ``defaultCipherSuites``. Those of TLS 1.3 are always on.
    public var cipherSuites: [NIOTLSCipher] = []
    /// Groups for the key exchange, in order of preference; empty: the library's.
    public var curves: [NIOTLSCurve] = []
    /// ALPN, in order of preference.
    public var applicationProtocols: [String] = []

    public init(certificateChain: PEMSource, privateKey: PEMSource) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }

    /// Forward secrecy and authenticated encryption: what every client of the last ten years has.
    static let defaultCipherSuites = "ECDH+AESGCM:ECDH+CHACHA20"
}
