// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import Platform
import TransportSecurity

/// TLS in front of connections, and addresses that are kept out. A connection with TLS is one of the server's when its
/// handshake is over: until then it costs a place among ``HandshakeAdmission``'s and no session.
extension GRPCServer {
    /// NIO closes a connection that cannot be set up.
    private struct Refused: Error {}

    /// A connection has been accepted.
    /// - Parameter security: of its listener; nil: it is one without TLS.
    func accepted(_ channel: any Channel, security: TLSServerContext?) throws {
        let host = channel.remoteAddress?.ipAddress
        let source = host.map(NetworkSource.init(host:)) ?? .unknown
        if let allowed = configuration.allowedSources, !allowed.contains(host: host ?? "") {
            statistics.sourcesRefused += 1
            tell(
                .warning, source,
                "an agent's connection was refused because of its address: --grpc-allow-from does not name it",
                ["peer": "\(GRPCConnection.describe(channel.remoteAddress))"])
            throw Refused()
        }
        guard let security else { return try attach(channel) }
        try beginHandshake(channel, security, source)
    }

    private func beginHandshake(_ channel: any Channel, _ security: TLSServerContext, _ source: NetworkSource) throws {
        let id = takeConnectionID()
        let peer = GRPCConnection.describe(channel.remoteAddress)
        let now = eventLoop.now.uptimeNanoseconds
        guard case .begin(let crowdedOut) = admission.begin(id, from: source, nowNanoseconds: now) else {
            handshakeFailed(.tooMany, "it has begun \(admission.limits.burst) and more handshakes", source, peer)
            throw Refused()
        }
        if let crowdedOut { crowdOut(crowdedOut) }
        handshakes[id] = Handshake(channel: channel, source: source)
        try security.secure(
            channel.pipeline.syncOperations,
            handshakeTimeout: .nanoseconds(Int64(clamping: configuration.prefaceTimeout.wholeNanoseconds))
        ) { [weak self] end in
            guard let self, handshakes.removeValue(forKey: id) != nil else { return }
            admission.end(id)
            switch end {
            case .completed(let names, _):
                statistics.handshakes += 1
                secured(channel, id, names)
            case .failed(let failure, let detail):
                handshakeFailed(failure, detail, source, peer)
            }
        }
    }

    private func secured(_ channel: any Channel, _ id: UInt64, _ names: [CertificateName]?) {
        do {
            try attach(channel, id: id, security: GRPCConnection.Security(peerNames: names))
        } catch {
            logger.error("a connection cannot be set up", metadata: ["reason": "\(error)"])
            TLSServerContext.closeNow(channel, tellsEnd: false)
        }
    }

    /// Closes the handshake that is to make room for others.
    func crowdOut(_ id: UInt64) {
        guard let handshake = handshakes.removeValue(forKey: id) else { return }
        let peer = GRPCConnection.describe(handshake.channel.remoteAddress)
        handshakeFailed(.crowdedOut, "it was the oldest when there were too many", handshake.source, peer)
        TLSServerContext.closeNow(handshake.channel, tellsEnd: false)
    }

    /// Closes what has not come to be a connection.
    func endHandshakes() {
        for (id, handshake) in handshakes {
            handshakes[id] = nil
            admission.end(id)
            TLSServerContext.closeNow(handshake.channel, tellsEnd: false)
        }
    }

    private func handshakeFailed(_ failure: HandshakeFailure, _ detail: String, _ source: NetworkSource, _ peer: String)
    {
        statistics.countFailed(failure)
        tell(
            Self.level(of: failure), source, "a TLS handshake of an agent failed: \(failure.rawValue)",
            ["peer": "\(peer)", "detail": "\(detail)"])
    }

    /// A warning is told once of each source, or a flood would fill the log.
    private func tell(
        _ level: Logger.Level, _ source: NetworkSource, _ message: String, _ metadata: Logger.Metadata
    ) {
        guard logger.logLevel <= level else { return }
        guard level < .warning || told.isNew(source, message, nowNanoseconds: eventLoop.now.uptimeNanoseconds) else {
            return
        }
        logger.log(level: level, "\(message)", metadata: metadata)
    }

    /// A failure that somebody has to correct is a warning: an agent without TLS among them. Port scanners are not.
    private static func level(of failure: HandshakeFailure) -> Logger.Level {
        switch failure {
        case .notTLS, .version, .cipher, .noCertificate, .badCertificate, .nameNotAllowed, .refusedByClient, .tooMany:
            .warning
        case .closed, .timeout, .crowdedOut, .other: .debug
        }
    }
}
