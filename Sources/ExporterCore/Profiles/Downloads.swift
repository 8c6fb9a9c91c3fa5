// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Logging
import NIOCore
import Platform
import RingMessages

/// The downloads under way. Everything here is on the event loop.
final class Downloads {
    let loop: any EventLoop
    let line: any FetchLine
    let space: SpoolSpace
    let thread: SpoolThread
    let pool = SpoolPiecePool()
    /// Chunks come while a ring is read; clients are answered after that.
    let deliveries: DeliveryQueue
    private(set) var isDraining = false
    /// Fetches profiles for the black box; it gives way to people.
    var background: ProfileFetcher?

    private let logger: Logger
    private var counts = DownloadStatistics()
    private var underWay: [ObjectIdentifier: any ProfileReceiver] = [:]
    private var byNumber: [UInt64: any ProfileReceiver] = [:]

    init(
        loop: any EventLoop, line: any FetchLine, space: SpoolSpace, deliveries: DeliveryQueue, logger: Logger,
        thread: SpoolThread? = nil
    ) throws(SystemError) {
        self.deliveries = deliveries
        self.loop = loop
        self.line = line
        self.space = space
        self.logger = logger
        if let thread { self.thread = thread } else { self.thread = try SpoolThread(loop: loop) }
    }

    var statistics: DownloadStatistics {
        get {
            var result = counts
            result.underWay = underWay.count
            result.spooledBytes = space.spooledBytes
            result.spooledPeakBytes = space.spooledPeakBytes
            result.reservedBytes = space.reservedBytes
            return result
        }
        _modify { yield &counts }
    }

    /// Answers a request for a profile, sooner or later. A HEAD request asks no agent.
    ///
    /// - Parameter instead: answers in another way when nothing has come of the agent, or calls what it is given.
    func begin(
        _ request: DownloadRequest, _ responder: HTTPResponder,
        instead: ((_ otherwise: @escaping () -> Void) -> Void)? = nil
    ) {
        if responder.request.isHead {
            let noBody = HTTPBody.producer(BytesBody(ByteBuffer()))
            return responder.respond(
                status: 200, contentType: Download.contentType, headers: request.headers, body: noBody)
        }
        counts.started += 1
        let download = Download(request, responder, owner: self, instead: instead)
        underWay[ObjectIdentifier(download)] = download
        background?.personCame()
        if isDraining { download.drain() } else { download.begin() }
    }

    /// Fetches a profile into memory. `done` gets it, or why it cannot be, once; never after the fetch is cancelled.
    func fetch(
        _ request: DownloadRequest, limitBytes: Int, _ done: @escaping (CaptureFetch.Outcome) -> Void
    ) -> CaptureFetch {
        counts.started += 1
        let fetch = CaptureFetch(request, limitBytes: limitBytes, owner: self, done)
        underWay[ObjectIdentifier(fetch)] = fetch
        background?.personCame()
        if isDraining { fetch.drain() } else { fetch.begin() }
        return fetch
    }

    // MARK: From the rings

    /// A `profileChunk` record of this exporter's generation.
    func chunkArrived(number: UInt64, offset: UInt64, _ payload: RawSpan) {
        guard let download = byNumber[number] else {
            background?.chunkArrived(number: number, byteCount: payload.byteCount)
            return
        }
        download.chunkArrived(offset: offset, payload)
    }

    /// A `fetchEnded` record of this exporter's generation.
    /// - Parameter byteCount: of all chunks that went into the ring; 0: its worker is of a version that does not say.
    func ended(number: UInt64, _ ending: FetchEnding, byteCount: UInt64 = 0) {
        guard let download = byNumber[number] else {
            background?.ended(number: number, ending)
            return
        }
        download.ended(ending, byteCount: byteCount)
    }

    func workerLost(_ worker: Int) {
        background?.workerLost(worker)
        for download in Array(underWay.values) where download.request.worker == worker { download.workerLost() }
    }

    /// The exporter drains: those that have not begun are refused, the others end when the HTTP server cuts them.
    func endAll() {
        isDraining = true
        for download in Array(underWay.values) { download.drain() }
    }

    // MARK: From downloads

    func asked(_ download: any ProfileReceiver, number: UInt64) {
        byNumber[number] = download
    }

    func failed(_ download: any ProfileReceiver, _ refusal: DownloadRefusal, hasBegun: Bool) {
        counts.failures[refusal.failure, default: 0] += 1
        logger.info(
            hasBegun ? "a profile download was cut" : "a profile download was refused",
            metadata: [
                "pod": "\(download.request.podName)", "profile": "\(download.request.profileID)",
                "reason": "\(refusal.text)",
            ])
    }

    func remove(_ download: any ProfileReceiver) {
        if underWay.removeValue(forKey: ObjectIdentifier(download)) != nil { background?.personLeft() }
        if let number = download.number { byNumber[number] = nil }
        guard underWay.isEmpty else { return }
        pool.removeAll()
    }
}

extension Downloads: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        let statistics = self.statistics
        let ends =
            [("client_gone", statistics.clientsGone), ("completed", statistics.completed)]
            + DownloadFailure.allCases.map { ($0.rawValue, statistics.failures[$0] ?? 0) }
        families.add(
            "fodc_proxy_downloads_total", .counter, "Downloads of profiles that ended, by outcome.",
            ends.sorted { $0.0 < $1.0 }.map { ([("outcome", $0.0)], Double($0.1)) })
        families.add(
            "fodc_proxy_downloads", .gauge, "Downloads of profiles in progress or waiting for their agent.",
            Double(statistics.underWay))
        families.add(
            "fodc_proxy_download_bytes_total", .counter, "Bytes of profiles handed to clients.",
            Double(statistics.bytes))
        families.add(
            "fodc_proxy_spool_bytes", .gauge,
            "Bytes of profiles in spool files that their clients have not read yet.",
            Double(statistics.spooledBytes))
        families.add(
            "fodc_proxy_spool_peak_bytes", .gauge, "Peak number of bytes in spool files.",
            Double(statistics.spooledPeakBytes))
        families.add(
            "fodc_proxy_spool_reserved_bytes", .gauge, "Bytes of --spool-max-size reserved for downloads in progress.",
            Double(statistics.reservedBytes))
    }
}
