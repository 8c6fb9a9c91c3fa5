// SPDX-License-Identifier: Apache-2.0
import NIOSSL

/// Why a TLS handshake did not come to an end. The raw values are metric label values; the order is that of ring counters.
public enum HandshakeFailure: String, CaseIterable, Sendable {
    /// The client spoke plain HTTP, or something else that is not TLS.
    case notTLS = "not_tls"
    /// No version of TLS that both sides allow.
    case version
    /// No cipher suite, group or kind of signature that both sides know.
    case cipher
    /// The client has no certificate, and needs one.
    case noCertificate = "no_certificate"
    /// The client's certificate is expired, or not signed by a known authority.
    case badCertificate = "bad_certificate"
    /// None of the certificate's names is among those that are allowed.
    case nameNotAllowed = "name_not_allowed"
    /// The client refused this side's certificate, or gave up for another reason that it told.
    case refusedByClient = "refused_by_client"
    /// The client closed the connection.
    case closed
    case timeout
    case other
    /// Its source begins more handshakes than it may.
    case tooMany = "too_many"
    /// It was the one to go when too many were under way.
    case crowdedOut = "crowded_out"

    /// Classifies an error of the TLS library by BoringSSL's reason names in its text.
    init(_ error: any Error) {
        let text = "\(error)"
        self =
            Self.reasons.first { text.contains($0.text) }?.failure
            ?? (text.contains("EOF during") || text.contains("ECONNRESET") || text.contains("reset by peer")
                ? .closed : .other)
    }

    /// In order: the first that is in the text counts.
    private static let reasons: [(text: String, failure: HandshakeFailure)] = [
        (":HTTP_REQUEST", .notTLS), (":HTTPS_PROXY_REQUEST", .notTLS), (":WRONG_VERSION_NUMBER", .notTLS),
        ("NO_CERTIFICATE_SET", .other),
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", .noCertificate), ("noCertificateToValidate", .noCertificate),
        ("ALERT_PROTOCOL_VERSION", .version), ("UNSUPPORTED_PROTOCOL", .version),
        ("CERTIFICATE_VERIFY_FAILED", .badCertificate), ("unableToValidateCertificate", .badCertificate),
        ("CERT_LENGTH_MISMATCH", .badCertificate), ("CANNOT_PARSE_LEAF_CERT", .badCertificate),
        ("NO_SHARED_CIPHER", .cipher), ("NO_SHARED_GROUP", .cipher), ("NO_COMMON_SIGNATURE_ALGORITHMS", .cipher),
        ("NO_CIPHERS_AVAILABLE", .cipher), ("WRONG_CURVE", .cipher), ("NO_COMPRESSION_SPECIFIED", .other),
        // Alerts from the client: the alert's name is the reason.
        ("SSLV3_ALERT_", .refusedByClient), ("TLSV1_ALERT_", .refusedByClient),
    ]
}
