// SPDX-License-Identifier: Apache-2.0
import Calendar
import HTTPServer
import Metrics
import Platform

/// `GET /metrics-windows`: time series of a window as JSON, or the latest samples without one.
final class WindowsEndpoint {
    static let contentType = "application/json"
    static let path = "/metrics-windows"

    private let collections: Collections
    private let windows: Windows
    private let selection: SampleSelection
    private let partial: PartialAnswers

    init(collections: Collections, windows: Windows, selection: SampleSelection, partial: PartialAnswers) {
        self.partial = partial
        selection.expectPartialAnswers(of: Self.path, partial)
        self.collections = collections
        self.windows = windows
        self.selection = selection
    }

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let window: (start: Int64, end: Int64)?
        switch Self.window(of: request) {
        case .failure(let mistake): return responder.respond(status: 400, text: mistake.text)
        case .success(let parsed): window = parsed
        }
        if request.isHead { return respond(responder, .producer(UnmadeBody())) }
        let filter = request.seriesFilter
        guard let window else {
            return collections.collect(filter, waitNanoseconds: Collections.longestNanoseconds) { [self] result in
                if let (cause, text) = selection.refusal(of: result) {
                    return partial.refuse(Self.path, cause, text, to: responder)
                }
                let selected = selection.select(result)
                let leftOut = selection.note(selected, of: result, filter, Self.path, partial)
                let cursor = WindowsCursor(latest: selected.snapshots, filter: filter.isEmpty ? nil : filter)
                respond(responder, .producer(CursorBody(cursor)), PartialAnswers.headers(leftOut: leftOut))
            }
        }
        collect(window, filter, request.source, responder)
    }

    private func collect(
        _ window: (start: Int64, end: Int64), _ filter: SeriesFilter, _ source: NetworkSource,
        _ responder: HTTPResponder
    ) {
        let request = Windows.Request(
            startNanoseconds: window.start, endNanoseconds: window.end, filter: filter)
        let ticket = windows.collect(request, from: source) { [self] outcome in
            responder.onClose = nil
            switch outcome {
            case .done(let agents):
                let cursor = WindowsCursor(windows: agents, filter: filter.isEmpty ? nil : filter)
                respond(responder, .producer(CursorBody(cursor)))
            case .refused(let refusal):
                responder.respond(
                    status: 503, text: refusal.text, headers: [("Retry-After", "\(Windows.retryAfterSeconds)")])
            }
        }
        if let ticket { responder.onClose = { [windows] in windows.abandon(ticket) } }
    }

    private func respond(_ responder: HTTPResponder, _ body: HTTPBody, _ headers: [(String, String)] = []) {
        responder.respond(
            status: 200, contentType: Self.contentType, headers: headers, body: body, compression: .whenAccepted)
    }

    // MARK: Parameters

    /// The window that both times make; `nil` when one of them is missing: then the latest samples are meant.
    static func window(of request: HTTPRequest) -> Result<(start: Int64, end: Int64)?, RequestMistake> {
        var times: [EpochTime] = []
        for name in ["start_time", "end_time"] {
            guard let text = request.parameter(name), !text.isEmpty else { continue }
            guard let time = RFC3339.parse(text) else {
                return .failure(
                    RequestMistake(
                        text:
                            "\(name) \(text.quoted(atMost: quotedCharacters)) is not an RFC 3339 time such as 2026-02-02T09:59:00Z"
                    ))
            }
            times.append(time)
        }
        guard times.count == 2 else { return .success(nil) }
        guard times[0] <= times[1] else {
            let start = (request.parameter("start_time") ?? "").quoted(atMost: quotedCharacters)
            let end = (request.parameter("end_time") ?? "").quoted(atMost: quotedCharacters)
            return .failure(RequestMistake(text: "start_time \(start) is after end_time \(end)"))
        }
        return .success((times[0].clampedNanosecondsSinceEpoch, times[1].clampedNanosecondsSinceEpoch))
    }

    /// Longer than any time.
    private static let quotedCharacters = 64
}
