// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Logging
import Metrics
import NIOCore
import Settings

/// The HTTP server, and the endpoints that it serves.
final class HTTPFrontend: HTTPRequestHandler {
    /// Pieces of answers that wait for the kernel to take them, of all connections, where there is memory enough.
    static let maximumUnsentBytes = 128 << 20

    /// In the order in which `/` lists them.
    private(set) var endpoints: [Endpoint] = []
    private var router = Router([])
    private var requests = RequestStatistics()
    private let access: WebAccess
    private let settings: ProxySettings
    private let loop: any EventLoop
    private let logger: Logger
    private let unsentBytes: Int
    private let onWork: () -> Void
    private(set) lazy var server = makeServer()

    /// - Parameters:
    ///   - access: who may ask, and how.
    ///   - unsentBytes: pieces of answers that may wait for the kernel to take them, of all connections together.
    ///   - onWork: called before each piece of an answer is made.
    init(
        settings: ProxySettings, access: WebAccess, unsentBytes: Int, loop: any EventLoop, logger: Logger,
        onWork: @escaping () -> Void
    ) {
        self.access = access
        self.settings = settings
        self.unsentBytes = unsentBytes
        self.loop = loop
        self.logger = logger
        self.onWork = onWork
    }

    /// To be called once, before ``start(listeningDescriptor:)``.
    func publish(_ endpoints: [Endpoint]) {
        self.endpoints = endpoints
        router = Router(endpoints)
    }

    func start(listeningDescriptor: Int32) -> EventLoopFuture<Void> {
        access.start()
        return server.start(listeningDescriptor: listeningDescriptor)
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) { router.handle(request, responder) }

    private func makeServer() -> HTTPServer {
        var configuration = HTTPServer.Configuration()
        configuration.readTimeout = .nanoseconds(settings.httpReadTimeout.wholeNanoseconds)
        configuration.writeTimeout = .nanoseconds(settings.httpWriteTimeout.wholeNanoseconds)
        configuration.reservedPaths = Set(endpoints.filter(\.isReserved).map(\.path))
        configuration.maximumUnsentBytes = unsentBytes
        configuration.onWork = onWork
        configuration.onRequestEnd = { [unowned self] end in
            requests.ended(path: router.label(of: end.path), end)
        }
        access.configure(&configuration)
        let gate = access.gate(in: self) { [unowned self] request, responder in
            guard let open = endpoints.first(where: { $0.path == request.path })?.withoutCredentials else {
                return responder.respond(status: 401, text: "this path needs credentials")
            }
            open(request, responder)
        } refusalPage: {
            LockedPage.respond($0, $1, $2)
        }
        let server = HTTPServer(configuration: configuration, eventLoop: loop, handler: gate, logger: logger)
        access.serve(by: server)
        return server
    }
}

extension HTTPFrontend: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        let statistics = server.statistics
        families.add(
            "fodc_proxy_http_requests_total", .counter,
            "HTTP requests, by path and status code; aborted if the connection ended before a status was sent.",
            requests.counts.sorted { ($0.key.path, $0.key.code) < ($1.key.path, $1.key.code) }.map {
                ([("code", $0.key.codeName), ("path", $0.key.path)], Double($0.value))
            })
        families.add(
            "fodc_proxy_http_request_duration_seconds", "Time from a request's head to the last byte of its response.",
            requests.durations.sorted { $0.key < $1.key }.map { ([("path", $0.key)], $0.value) })
        families.add(
            "fodc_proxy_http_connections", .gauge, "Open HTTP connections.", Double(statistics.connectionsOpen))
        families.add(
            "fodc_proxy_http_connections_closed_total", .counter, "HTTP connections that ended, by cause.",
            HTTPCloseCause.allCases.map {
                ([("cause", $0.rawValue)], Double(statistics.connectionsClosed[$0] ?? 0))
            })
        families.add(
            "fodc_proxy_http_bytes_total", .counter, "Bytes on HTTP connections.",
            [
                ([("direction", "in")], Double(statistics.bytesReceived)),
                ([("direction", "out")], Double(statistics.bytesSent)),
            ])
    }
}
