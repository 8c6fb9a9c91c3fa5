// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Calendar
import HTTPServer
import Metrics

/// Parameters of requests to the black box. An empty one counts as not set.
struct BlackBoxRequest {
    /// Series that a request may choose one by one; each costs a look at each series.
    static let mostMatches = 64
    /// Longer than any time or kind.
    private static let quotedCharacters = 64

    let request: HTTPRequest

    init(_ request: HTTPRequest) {
        self.request = request
    }

    private func value(_ name: String) -> String? {
        request.parameter(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Nanoseconds since the epoch.
    func time(_ name: String) throws(RequestMistake) -> Int64? {
        guard let text = value(name) else { return nil }
        guard let time = RFC3339.parse(text) else {
            throw RequestMistake(
                text: "\(name) \(text.quoted(atMost: Self.quotedCharacters)) is not an RFC 3339 time such as "
                    + "2026-02-02T09:59:00Z")
        }
        return time.clampedNanosecondsSinceEpoch
    }

    /// Two times in their order.
    func times(_ first: String, _ last: String) throws(RequestMistake) -> (Int64?, Int64?) {
        let (one, other) = (try time(first), try time(last))
        if let one, let other, one > other {
            let texts = [first, last].map { (value($0) ?? "").quoted(atMost: Self.quotedCharacters) }
            throw RequestMistake(text: "\(first) \(texts[0]) is after \(last) \(texts[1])")
        }
        return (one, other)
    }

    /// - Parameter podName: out of the path.
    func range(of podName: String) throws(RequestMistake) -> BlackBoxRange {
        let (start, end) = try times("start", "end")
        return BlackBoxRange(podName: podName, startNanoseconds: start, endNanoseconds: end)
    }

    func matches() throws(RequestMistake) -> [SeriesMatch] {
        let texts = request.parameters("match").filter { !$0.isEmpty }
        guard texts.count <= Self.mostMatches else {
            throw RequestMistake(text: "\(texts.count) times match; at most \(Self.mostMatches) may be given")
        }
        var matches: [SeriesMatch] = []
        for text in texts {
            guard let match = SeriesMatch(text) else {
                throw RequestMistake(text: "match \(text.quoted()) must be \(SeriesMatch.allowed)")
            }
            matches.append(match)
        }
        return matches
    }

    func format() throws(RequestMistake) -> SeriesHistory.Format {
        guard let text = value("format") else { return .openMetrics }
        guard let format = SeriesHistory.Format(rawValue: text) else {
            throw RequestMistake(
                text:
                    "format \(text.quoted(atMost: Self.quotedCharacters)) must be \(Self.list(SeriesHistory.Format.self))"
            )
        }
        return format
    }

    func incidents() throws(RequestMistake) -> IncidentQuery {
        var query = IncidentQuery()
        (query.sinceNanoseconds, query.untilNanoseconds) = try times("since", "until")
        query.podName = value("pod_name")
        if let text = value("kind") {
            guard let kind = IncidentKind(rawValue: text) else {
                throw RequestMistake(
                    text: "kind \(text.quoted(atMost: Self.quotedCharacters)) must be \(Self.list(IncidentKind.self))")
            }
            query.kind = kind
        }
        if let text = value("limit") {
            guard let limit = Int(text), (1...IncidentQuery.largestLimit).contains(limit) else {
                throw RequestMistake(
                    text: "limit \(text.quoted(atMost: Self.quotedCharacters)) must be a number from 1 to "
                        + "\(IncidentQuery.largestLimit)")
            }
            query.limit = limit
        }
        return query
    }

    private static func list<Words: CaseIterable & RawRepresentable<String>>(_ words: Words.Type) -> String {
        let all = words.allCases.map(\.rawValue)
        return all.dropLast().joined(separator: ", ") + " or " + (all.last ?? "")
    }
}
