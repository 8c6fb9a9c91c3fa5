// SPDX-License-Identifier: Apache-2.0
import HTTPServer

/// Counts the answers that could not be whole, by path, cause, and what the client got instead (docs/reliability.md,
/// "Answers that are not whole").
final class PartialAnswers {
    /// The raw values are metric label values.
    enum Outcome: String {
        /// 503 with `Retry-After`.
        case refused
        /// Last-known values stand for those that are missing.
        case lastKnown = "last_known"
        /// 200 without them; the answer says so itself.
        case leftOut = "left_out"
    }

    struct Kind: Hashable {
        var path: String
        var cause: String
        var outcome: Outcome
    }

    /// In answers with status 200: agents that were asked and are left out. Absent when no agent is left out.
    static let header = "X-Fodc-Agents-Left-Out"
    /// Collections are short.
    static let retryAfterSeconds = 1

    /// Kinds that can occur count from 0, so that the first is seen as an increase.
    private(set) var counts: [Kind: UInt64] = [:]
    /// In the order of the metric, which each scrape shows.
    private var kinds: [Kind] = []

    func expect(_ path: String, _ cause: String, _ outcome: Outcome) { add(path, cause, outcome, 0) }

    func add(_ path: String, _ cause: String, _ outcome: Outcome) { add(path, cause, outcome, 1) }

    private func add(_ path: String, _ cause: String, _ outcome: Outcome, _ number: UInt64) {
        let kind = Kind(path: path, cause: cause, outcome: outcome)
        if counts[kind] == nil {
            func key(_ kind: Kind) -> (String, String, String) { (kind.path, kind.cause, kind.outcome.rawValue) }
            kinds.insert(kind, at: kinds.firstIndex { key(kind) < key($0) } ?? kinds.count)
        }
        counts[kind, default: 0] += number
    }

    /// Refuses a request whose answer would not be whole.
    func refuse(
        _ path: String, _ cause: String, _ text: String, retryAfterSeconds: Int = retryAfterSeconds,
        to responder: HTTPResponder
    ) {
        guard !responder.isClosed else { return }
        add(path, cause, .refused)
        responder.respond(status: 503, text: text, headers: [("Retry-After", "\(retryAfterSeconds)")])
    }

    static func headers(leftOut: Int) -> [(String, String)] { leftOut == 0 ? [] : [(header, "\(leftOut)")] }
}

extension PartialAnswers: MetricSource {
    func addMetrics(to families: inout FamilyBuilder) {
        families.add(
            "fodc_proxy_partial_answers_total", .counter,
            "Answers that could not be complete, by cause: refused with 503, served with last_known values, or with agents or records left_out.",
            kinds.map {
                ([("cause", $0.cause), ("outcome", $0.outcome.rawValue), ("path", $0.path)], Double(counts[$0] ?? 0))
            })
    }
}
