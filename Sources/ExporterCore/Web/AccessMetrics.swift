// SPDX-License-Identifier: Apache-2.0
import HTTPAccess
import HTTPServer
import RingMessages
import Rings
import TransportSecurity

/// TLS and access control of both listeners: that of HTTP is this process's, that of gRPC is counted by the ingest workers.
struct AccessMetrics: MetricSource {
    private static let http = "http"
    private static let grpc = "grpc"
    /// As the ingest workers call the files of their TLS listener.
    private static let grpcFiles = "grpc-tls"

    let web: WebAccess
    let ingest: IngestTotals
    /// Whether agents can connect with TLS.
    let hasAgentsTLS: Bool

    func addMetrics(to families: inout FamilyBuilder) {
        let statistics = web.statistics
        families.add(
            "fodc_proxy_auth_failures_total", .counter,
            "Requests, connections, registrations and streams that were refused because of who they came from, by cause.",
            agentFailures + httpFailures(statistics))
        families.add(
            "fodc_proxy_tls_handshakes_total", .counter, "TLS handshakes that came to their end.",
            [
                ([("listener", Self.grpc)], ingest.sum(.handshakes)),
                ([("listener", Self.http)], Double(statistics.handshakes)),
            ])
        families.add(
            "fodc_proxy_tls_handshake_failures_total", .counter, "TLS handshakes that failed, by cause.",
            handshakeFailures(statistics))
        families.add(
            "fodc_proxy_certificate_expiry_timestamp_seconds", .gauge,
            "When the first certificate of a listener's chain expires, as Unix time.",
            expiries.map { ([("listener", $0.listener)], $0.seconds) })
        families.add(
            "fodc_proxy_config_last_reload_successful", .gauge,
            "1 while a file is in use as it is on disk; 0: it is bad, and what was read before is in use.",
            reloads.map { ([("file", $0.0)], $0.1 ? 1.0 : 0.0) })
        families.add(
            "fodc_proxy_http_rate_limited_total", .counter,
            "HTTP requests that were refused because of rate_limit in the web configuration.",
            Double(web.rateLimited))
    }

    private var agentFailures: [FamilyBuilder.Sample] {
        let counts: [(String, IngestCounter)] = [
            ("address", .sourcesRefused), ("identity", .refusedIdentity), ("stream_identity", .refusedStreamIdentity),
        ]
        return counts.map { ([("listener", Self.grpc), ("reason", $0.0)], ingest.sum($0.1)) }
    }

    private func httpFailures(_ statistics: HTTPStatistics) -> [FamilyBuilder.Sample] {
        AccessFailure.allCases.map { failure in
            let count = failure == .address ? statistics.sourcesRefused : web.failureCount(failure)
            return ([("listener", Self.http), ("reason", failure.rawValue)], Double(count))
        }
    }

    private func handshakeFailures(_ statistics: HTTPStatistics) -> [FamilyBuilder.Sample] {
        let ofAgents = HandshakeFailure.allCases.enumerated().map { index, failure in
            (Self.grpc, failure, ingest.sum(word: IngestCounter.firstHandshakeFailure + index))
        }
        let ofHTTP = HandshakeFailure.allCases.map {
            (Self.http, $0, Double(statistics.handshakeFailures[$0] ?? 0))
        }
        return (ofAgents + ofHTTP).map { ([("listener", $0.0), ("reason", $0.1.rawValue)], $0.2) }
    }

    private var expiries: [(listener: String, seconds: Double)] {
        var expiries: [(listener: String, seconds: Double)] = []
        // The earliest of all workers: they read the same files, but one may not have looked yet.
        let ofWorkers = hasAgentsTLS ? ingest.byWorker(.certificateExpiry).map { $0.value }.filter { $0 > 0 } : []
        if let earliest = ofWorkers.min() { expiries.append((Self.grpc, earliest)) }
        if let seconds = web.certificateExpiresAtSeconds { expiries.append((Self.http, Double(seconds))) }
        return expiries
    }

    private var reloads: [(String, Bool)] {
        let ofAgents = hasAgentsTLS ? [(Self.grpcFiles, ingest.sum(.certificateFilesBad) == 0)] : []
        return ofAgents + web.reloads
    }
}
