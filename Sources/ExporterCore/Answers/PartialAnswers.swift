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

    func expect(_ path: String, _ cause: String, _ outcome: Outcome) {
        counts[Kind(path: path, cause: cause, outcome: outcome), default: 0] += 0
    }

    func add(_ path: String, _ cause: String, _ outcome: Outcome) {
        counts[Kind(path: path, cause: cause, outcome: outcome), default: 0] += 1
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
            "Answers that could not be complete, by cause: refused with 503, served with last_known values, or with agents left_out.",
            counts.sorted {
                ($0.key.path, $0.key.cause, $0.key.outcome.rawValue)
                    < ($1.key.path, $1.key.cause, $1.key.outcome.rawValue)
            }.map {
                (
                    [("cause", $0.key.cause), ("outcome", $0.key.outcome.rawValue), ("path", $0.key.path)],
                    Double($0.value)
                )
            })
    }
}
