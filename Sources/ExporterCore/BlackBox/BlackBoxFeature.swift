// SPDX-License-Identifier: Apache-2.0
import BlackBox
import BlackBoxReports
import Database
import HTTPServer
import Metrics

/// The history of nodes and incidents: `/black-box…` and `/incidents…`. The recorder writes the database, this reads it.
final class BlackBoxFeature: Feature {
    /// `nil`: nothing is recorded.
    private let box: BlackBoxAccess?
    private let sources: ReportSources
    private let partial: PartialAnswers
    /// Points of one answer that are in memory at a time.
    private let maximumPoints: Int

    /// Points that a streamed answer holds where there is memory enough: a day of 200 series at 10 s in one go.
    private static let mostPoints = 2 << 20
    private static let pointBytes = 16

    init(_ context: FeatureContext, _ sources: ReportSources, _ box: BlackBoxAccess?) {
        self.box = box
        self.sources = sources
        partial = context.partial
        maximumPoints = context.budgets.bytes(upTo: Self.mostPoints * Self.pointBytes) / Self.pointBytes
        guard box != nil else { return }
        for path in Self.paths {
            for cause in BlackBoxRefusal.Cause.allCases { partial.expect(path, cause.rawValue, .refused) }
            partial.expect(path, ReportFailure.tooManyBytes, .refused)
            partial.expect(path, StoredLack.damagedCause, .leftOut)
        }
    }

    private static let nodesPath = "/black-box"
    private static let samplesPath = "/black-box/{pod_name}"
    private static let summaryPath = "/black-box/{pod_name}/summary"
    private static let incidentsPath = "/incidents"
    private static let incidentPath = "/incidents/{id}"
    private static let changesPath = "/incidents/{id}/changes"
    private static let bundlePath = "/incidents/{id}/bundle"
    private static let paths = [
        nodesPath, samplesPath, summaryPath, incidentsPath, incidentPath, changesPath, bundlePath,
    ]

    var endpoints: [Endpoint] {
        [
            Endpoint(path: Self.nodesPath, summary: "Nodes that the black box knows, live and gone") {
                [unowned self] _, responder in ask(.nodes, Self.nodesPath, responder)
            },
            Endpoint(
                path: Self.samplesPath, summary: "Recorded samples of a node, by default its last 15 minutes",
                parameters: Self.rangeParameters + [
                    .init(name: "match", meaning: "only these series: \(SeriesMatch.allowed); repeatable"),
                    .init(name: "format", meaning: "openmetrics (default), prometheus or json"),
                ]
            ) { [unowned self] in answerSamples($0, $1) },
            Endpoint(
                path: Self.summaryPath, summary: "A node's most telling metrics, thinned out for charts",
                parameters: Self.rangeParameters
            ) { [unowned self] request, responder in
                parse(responder) { () throws(RequestMistake) in
                    ask(
                        .summary(try BlackBoxRequest(request).range(of: request.pathSegments[1])), Self.summaryPath,
                        responder)
                }
            },
            Endpoint(
                path: Self.incidentsPath, summary: "Incidents, newest first",
                parameters: [
                    .init(name: "kind", meaning: "only of this kind, such as node-gone"),
                    .init(name: "pod_name", meaning: "only of this pod"),
                    .init(name: "since", meaning: "open then or later, RFC 3339"),
                    .init(name: "until", meaning: "opened until then, RFC 3339"),
                    .init(name: "limit", meaning: "at most so many, 100 by default"),
                ]
            ) { [unowned self] request, responder in
                parse(responder) { () throws(RequestMistake) in
                    ask(.incidents(try BlackBoxRequest(request).incidents()), Self.incidentsPath, responder)
                }
            },
            Endpoint(
                path: Self.incidentPath, summary: "An incident, and what was kept for it",
                parameters: [Self.idParameter]
            ) { [unowned self] request, responder in
                ask(.incident(request.pathSegments[1]), Self.incidentPath, responder)
            },
            Endpoint(
                path: Self.changesPath,
                summary: "Configuration, topology and schema that changed in the minutes around an incident",
                parameters: [Self.idParameter]
            ) { [unowned self] request, responder in
                ask(.changes(incident: request.pathSegments[1]), Self.changesPath, responder)
            },
            Endpoint(
                path: Self.bundlePath, summary: "All that is known of an incident, as .tar.gz",
                parameters: [Self.idParameter]
            ) { [unowned self] in answerBundle($0, $1) },
        ]
    }

    private static let idParameter = Endpoint.Parameter(name: "id", meaning: "as in /incidents")

    private static let rangeParameters: [Endpoint.Parameter] = [
        .init(name: "pod_name", meaning: "as in /black-box"),
        .init(name: "start", meaning: "from this time on, RFC 3339"),
        .init(name: "end", meaning: "up to this time"),
    ]

    // MARK: Answers

    private func parse(_ responder: HTTPResponder, _ body: () throws(RequestMistake) -> Void) {
        do throws(RequestMistake) {
            try body()
        } catch {
            responder.respond(status: 400, text: error.text)
        }
    }

    private func ask(_ question: BlackBoxQuestion, _ path: String, _ responder: HTTPResponder) {
        guard let box else { return refuse(.notRecording, path, responder) }
        if responder.request.isHead { return ReportSources.respondHead(to: responder) }
        box.questions.ask(question) { [self] outcome in
            switch outcome {
            case .failure(let refusal): refuse(refusal, path, responder)
            case .success(let made): sources.respond(made, path, to: responder)
            }
        }
    }

    private func answerSamples(_ request: HTTPRequest, _ responder: HTTPResponder) {
        parse(responder) { () throws(RequestMistake) in
            let parameters = BlackBoxRequest(request)
            let range = try parameters.range(of: request.pathSegments[1])
            let (format, matches) = (try parameters.format(), try parameters.matches())
            stream(Self.samplesPath, format.contentType, responder) {
                [maximumPoints] reader throws(BlackBoxRefusal) in
                let (nodes, from, until) = try range.resolved(reader)
                var query = ExportQuery(
                    nodes: nodes, fromNanoseconds: from, untilNanoseconds: until, matches: matches, format: format)
                query.maximumPoints = maximumPoints
                return try StreamedAnswer(query, reader)
            }
        }
    }

    private func answerBundle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let id = request.pathSegments[1]
        stream(Self.bundlePath, StreamedAnswer.bundleType, responder) {
            [maximumPoints] reader throws(BlackBoxRefusal) in
            try StreamedAnswer(bundleOf: id, reader, maximumPoints: maximumPoints)
        }
    }

    private func stream(
        _ path: String, _ contentType: String, _ responder: HTTPResponder, _ prepare: @escaping BlackBoxStreams.Prepare
    ) {
        guard let box else { return refuse(.notRecording, path, responder) }
        if responder.request.isHead {
            return responder.respond(status: 200, contentType: contentType, body: .unmade, compression: .declined)
        }
        box.streams.begin(
            responder, prepare, whenBegun: { [partial] in $0.stored.count(path, in: partial) },
            refuse: { [self] in refuse($0, path, responder) })
    }

    private func refuse(_ refusal: BlackBoxRefusal, _ path: String, _ responder: HTTPResponder) {
        guard !responder.isClosed else { return }
        guard let cause = refusal.cause else { return responder.respond(status: refusal.status, text: refusal.text) }
        partial.refuse(path, cause.rawValue, refusal.text, retryAfterSeconds: refusal.retryAfterSeconds, to: responder)
    }
}

extension BlackBoxRefusal {
    static let notRecording = BlackBoxRefusal.notFound(
        "nothing is recorded here: set --black-box-dir, or --state-dir, to a folder, and --record-interval to more than 0"
    )
}
