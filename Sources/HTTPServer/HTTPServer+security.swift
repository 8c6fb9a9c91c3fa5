// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TransportSecurity

/// TLS in front of connections, and addresses that are kept out.
extension HTTPServer {
    /// A handshake takes two round trips; the slowest line that is of any use has done it long before.
    private static let longestHandshake = TimeAmount.seconds(10)

    struct SourceRefused: Error {}

    var handshakeTimeout: TimeAmount {
        configuration.readTimeout > .zero
            ? min(configuration.readTimeout, Self.longestHandshake) : Self.longestHandshake
    }

    func sourceRefused(_ peer: String) {
        counts.sourcesRefused += 1
        logger.warning(
            "an HTTP connection was refused because of its address: --http-allow-from does not name it",
            metadata: ["client": "\(peer)"])
    }

    func handshakeEnded(_ end: HandshakeEnd, peer: String) {
        guard case .failed(let failure, let detail) = end else {
            counts.handshakes += 1
            return
        }
        counts.handshakeFailures[failure, default: 0] += 1
        logger.log(
            level: Self.level(of: failure), "a TLS handshake on the HTTP port failed",
            metadata: ["client": "\(peer)", "reason": "\(failure.rawValue)", "detail": "\(detail)"])
    }

    /// A failure that somebody has to correct is a warning; port scanners and clients that leave are not.
    private static func level(of failure: HandshakeFailure) -> Logger.Level {
        switch failure {
        case .version, .cipher, .noCertificate, .badCertificate, .nameNotAllowed, .refusedByClient: .warning
        case .notTLS, .closed, .timeout, .other, .tooMany, .crowdedOut: .debug
        }
    }
}
