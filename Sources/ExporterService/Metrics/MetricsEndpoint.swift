// SPDX-License-Identifier: Apache-2.0
import Exchange
import HTTPServer
import Lanes
import Metrics
import NIOCore
import Platform

/// `GET /metrics`: the latest sample of every series of every agent, collected on demand.
final class MetricsEndpoint {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private let collections: Collections
    private let selection: SampleSelection
    private let ownFamilies: () -> [ExtraFamily]
    private let index: FamilyIndex
    /// The compressed answer that those who are served together share. Held by them alone.
    private weak var shared: SharedBody?
    private var sharedKey: SharedKey?
    private(set) var samplesServed: UInt64 = 0
    private(set) var duplicateSeries = 0

    private struct SharedKey: Equatable {
        var batch: UInt64
        var filter: SeriesFilter
    }

    /// - Parameter breathe: called again and again while an answer is prepared.
    init(
        collections: Collections, selection: SampleSelection, ownFamilies: @escaping () -> [ExtraFamily],
        breathe: @escaping () -> Void
    ) {
        index = FamilyIndex(breathe: breathe)
        self.collections = collections
        self.selection = selection
        self.ownFamilies = ownFamilies
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let filter = request.seriesFilter
        // The answer's head does not depend on what agents say.
        if request.isHead { return respond(responder, .bytes(ByteBuffer()), .declined) }
        let wait = ScrapeDeadline.nanoseconds(header: request.header(ScrapeDeadline.header))
        collections.collect(filter, waitNanoseconds: wait) { [self] result in
            guard !responder.isClosed else { return }
            if request.acceptsGzip {
                respond(responder, .producer(compressedBody(result, filter)), .precompressed)
            } else {
                respond(responder, .producer(makeBody(result, filter)), .declined)
            }
        }
    }

    /// Those who are served by one collection at once get one compressed answer, each at its own pace.
    private func compressedBody(_ result: CollectionResult, _ filter: SeriesFilter) -> any HTTPBodyProducer {
        let key = SharedKey(batch: result.batch, filter: filter)
        if sharedKey == key, let reader = shared?.makeReader() { return reader }
        let source = GzipBody(makeBody(result, filter))
        let body = SharedBody(source)
        shared = body
        sharedKey = key
        return body.makeReader() ?? source
    }

    private func respond(_ responder: HTTPResponder, _ body: HTTPBody, _ compression: HTTPCompression) {
        responder.respond(status: 200, contentType: Self.contentType, body: body, compression: compression)
    }

    private func makeBody(_ result: CollectionResult, _ filter: SeriesFilter) -> ExpositionBody {
        let snapshot = index.update(with: selection.snapshots(of: result))
        duplicateSeries = snapshot.duplicateSeriesCount
        let cursor = ExpositionCursor(
            snapshot: snapshot, filter: filter.isEmpty ? nil : filter,
            extraFamilies: filter.isEmpty ? ownFamilies() : [],
            comment: FilterComment.text(for: filter, agents: filter.isEmpty ? [] : selection.agents))
        return ExpositionBody(cursor: cursor) { [weak self] in self?.samplesServed += UInt64($0) }
    }
}

/// The text, piece by piece, from a snapshot that does not change: a slow client costs its place in it.
struct ExpositionBody: HTTPBodyProducer {
    private var cursor: ExpositionCursor
    private let whenDone: (Int) -> Void

    init(cursor: ExpositionCursor, whenDone: @escaping (Int) -> Void) {
        self.cursor = cursor
        self.whenDone = whenDone
    }

    mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        var isDone = false
        buffer.writeWithOutputRawSpan(minimumWritableBytes: targetBytes) { span in
            isDone = cursor.render(into: &span)
        }
        if isDone { whenDone(cursor.samplesRendered) }
        return isDone ? .done : .more
    }
}

extension HTTPRequest {
    /// `role` and `pod_name`, exact; an empty one is as good as none, as in the Go proxy.
    var seriesFilter: SeriesFilter {
        func value(_ name: String) -> String? { parameter(name).flatMap { $0.isEmpty ? nil : $0 } }
        return SeriesFilter(role: value("role"), podName: value("pod_name"))
    }
}
