// SPDX-License-Identifier: Apache-2.0

/// Whether clients present a certificate. The raw values are those of Go's `tls.ClientAuthType`, which exporter-toolkit takes.
public enum ClientCertificatePolicy: String, CaseIterable, Sendable {
    case notRequested = "NoClientCert"
    /// Asked for, and taken whoever signed it; a client without one is served.
    case requested = "RequestClientCert"
    /// Must be there; taken whoever signed it.
    case requiredUnverified = "RequireAnyClientCert"
    /// A client without one is served; one that is there must be signed by a known authority.
    case verifiedIfGiven = "VerifyClientCertIfGiven"
    /// Must be there, and signed by a known authority.
    case required = "RequireAndVerifyClientCert"

    /// Whether a connection without a certificate is refused.
    public var requiresCertificate: Bool { self == .requiredUnverified || self == .required }

    /// Whether certificates are held against authorities, so that these must be known.
    public var verifiesCertificate: Bool { self == .verifiedIfGiven || self == .required }
}
