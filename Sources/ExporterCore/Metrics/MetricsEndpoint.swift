// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Metrics
import NIOCore
import Platform
import RingMessages
import Rings

/// `GET /metrics`: the latest sample of every series of every agent, collected on demand.
final class MetricsEndpoint {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    static let path = "/metrics"

    private let collections: Collections
    private let selection: SampleSelection
    private let partial: PartialAnswers
    private let loop: any EventLoop
    /// This endpoint is one of its sources.
    private unowned let registry: MetricRegistry
    private let index: FamilyIndex
    /// The compressed answer that those who are served together share. Held by them alone.
    private weak var shared: SharedBody?
    private var sharedKey: SharedKey?
    /// The text that requests served together share, until the loop turns.
    private var prepared: Prepared?
    private var samplesServed: UInt64 = 0
    private var duplicateSeries = 0
    private var oddBounds = 0

    private struct Prepared {
        var batch: UInt64
        var snapshot: FamilySnapshot
        var selected: SampleSelection.Selected
        /// Made when the first unfiltered answer needs them.
        var ownFamilies: [ExtraFamily]?
    }

    private struct SharedKey: Equatable {
        var batch: UInt64
        var filter: SeriesFilter
    }

    /// - Parameter yieldToEventLoop: called again and again while an answer is prepared.
    init(
        collections: Collections, selection: SampleSelection, partial: PartialAnswers, loop: any EventLoop,
        registry: MetricRegistry, yieldToEventLoop: @escaping () -> Void
    ) {
        index = FamilyIndex(yieldToEventLoop: yieldToEventLoop)
        self.collections = collections
        self.selection = selection
        self.registry = registry
        self.partial = partial
        self.loop = loop
        selection.expectPartialAnswers(of: Self.path, partial)
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let filter = request.seriesFilter
        // The answer's head does not depend on what agents say.
        if request.isHead {
            return respond(responder, .producer(UnmadeBody()), request.acceptsGzip ? .precompressed : .declined)
        }
        let wait = ScrapeDeadline.nanoseconds(header: request.header(ScrapeDeadline.header))
        collections.collect(filter, waitNanoseconds: wait) { [self] result in
            guard !responder.isClosed else { return }
            if let (cause, text) = selection.refusal(of: result) {
                return partial.refuse(Self.path, cause, text, to: responder)
            }
            let prepared = prepare(result)
            let leftOut = selection.note(prepared.selected, of: result, filter, Self.path, partial)
            let headers = PartialAnswers.headers(leftOut: leftOut)
            if request.acceptsGzip {
                respond(responder, .producer(compressedBody(prepared, filter)), .precompressed, headers)
            } else {
                respond(responder, .producer(makeBody(prepared, filter)), .declined, headers)
            }
        }
    }

    /// Those who are served by one collection at once get one compressed answer, each at its own pace.
    private func compressedBody(_ prepared: Prepared, _ filter: SeriesFilter) -> any HTTPBodyProducer {
        let key = SharedKey(batch: prepared.batch, filter: filter)
        if sharedKey == key, let reader = shared?.makeReader() { return reader }
        let source = GzipBody(makeBody(prepared, filter))
        let body = SharedBody(source)
        shared = body
        sharedKey = key
        return body.makeReader() ?? source
    }

    private func respond(
        _ responder: HTTPResponder, _ body: HTTPBody, _ compression: HTTPCompression, _ headers: [(String, String)] = []
    ) {
        responder.respond(
            status: 200, contentType: Self.contentType, headers: headers, body: body, compression: compression)
    }

    /// The agents of an answer and their families. Requests for one pod each that are served together need them once.
    private func prepare(_ result: CollectionResult) -> Prepared {
        if let prepared, prepared.batch == result.batch { return prepared }
        let selected = selection.select(result)
        let snapshot = index.update(with: selected.snapshots)
        duplicateSeries = snapshot.duplicateSeriesCount
        oddBounds = snapshot.oddBoundCount
        let made = Prepared(batch: result.batch, snapshot: snapshot, selected: selected)
        if prepared == nil { loop.assumeIsolated().execute { [weak self] in self?.prepared = nil } }
        prepared = made
        return made
    }

    /// Those who are served together get the same: a thousand at once would else keep the loop for seconds.
    private func ownFamilies(of answer: Prepared) -> [ExtraFamily] {
        if let prepared, prepared.batch == answer.batch, let made = prepared.ownFamilies { return made }
        var families = registry.families()
        addStates(of: answer.selected, to: &families)
        let made = families.families
        if prepared?.batch == answer.batch { prepared?.ownFamilies = made }
        return made
    }

    private func makeBody(_ prepared: Prepared, _ filter: SeriesFilter) -> CursorBody<ExpositionCursor> {
        let cursor = ExpositionCursor(
            snapshot: prepared.snapshot, filter: filter.isEmpty ? nil : filter,
            extraFamilies: filter.isEmpty ? ownFamilies(of: prepared) : [],
            comment: FilterComment.text(for: filter, agents: prepared.selected.states.map { ($0.role, $0.podName) }))
        return CursorBody(cursor) { [weak self] in self?.samplesServed += UInt64($0.samplesRendered) }
    }
}

extension MetricsEndpoint: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_samples_served_total", .counter, "Samples written into complete /metrics answers.",
            Double(samplesServed))
        families.add(
            "fodc_proxy_duplicate_series", .gauge,
            "Series left out of the last /metrics answer because another agent sent them too.", Double(duplicateSeries))
        families.add(
            "fodc_proxy_invalid_bound_series", .gauge,
            "Series left out of the last /metrics answer because their le or quantile is not a number.",
            Double(oddBounds))
    }

    /// - Parameter selected: the agents of the answer that this metric is in.
    private func addStates(of selected: SampleSelection.Selected, to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_scrape_agents", .gauge,
            "Listed agents by how they stand in this very answer: answered, last_known (last values serve), silent (connected, "
                + "no answer in time, left out), disconnected (left out).",
            StalenessPolicy.State.allCases.map {
                ([("state", $0.rawValue)], Double(selected.count($0, SeriesFilter())))
            })
    }
}

extension HTTPRequest {
    /// `role` and `pod_name`, exact; an empty one is as good as none, as in the Go proxy.
    var seriesFilter: SeriesFilter {
        func value(_ name: String) -> String? { parameter(name).flatMap { $0.isEmpty ? nil : $0 } }
        return SeriesFilter(role: value("role"), podName: value("pod_name"))
    }
}
