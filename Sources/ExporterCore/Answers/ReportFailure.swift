// SPDX-License-Identifier: Apache-2.0

/// Why a report is refused: it would look whole without what is missing, or is too large.
struct ReportFailure: Error {
    /// A metric label value.
    var cause: String
    /// For the client.
    var text: String
    var retryAfterSeconds: Int

    private init(_ cause: String, _ text: String, retryAfterSeconds: Int = PartialAnswers.retryAfterSeconds) {
        self.cause = cause
        self.text = text
        self.retryAfterSeconds = retryAfterSeconds
    }

    init(_ refusal: AskRefusal) { self.init(refusal.rawValue, refusal.text) }

    static func tooLarge(limitBytes: Int) -> ReportFailure {
        ReportFailure(
            "too_large",
            "the agents' answers for this report take more than \(limitBytes >> 20) MiB: "
                + "select one role or pod_name if the path has such filters")
    }

    /// Clients take a while for reports of this size.
    private static let slowClientsSeconds = 5
    /// The cause of reports that are refused because of what all of them take.
    static let tooManyBytes = "too_many_bytes"

    static func reportTooLarge(limitBytes: Int) -> ReportFailure {
        ReportFailure(
            tooManyBytes,
            "this answer would take more than \(limitBytes >> 20) MiB: ask for one role or pod_name",
            retryAfterSeconds: slowClientsSeconds)
    }

    static func tooManyBytes(_ usedBytes: Int) -> ReportFailure {
        ReportFailure(
            tooManyBytes,
            "reports of \(usedBytes >> 20) MiB are being made or wait for clients to take them: try again later, or for one "
                + "role or pod_name", retryAfterSeconds: slowClientsSeconds)
    }

    static func tooManyKeys(limit: Int) -> ReportFailure {
        ReportFailure(
            tooLarge(limitBytes: 0).cause,
            "the configurations have more than \(limit) keys together: ask for one role, pod_name or agent_id")
    }

    /// Answers are in a ring that is written faster than they can be found.
    static let unread = ReportFailure(
        "unread", "agents write faster than the proxy reads their answers at present: try again later")

    /// The black box is asked for, and cannot answer.
    static func store(_ refusal: BlackBoxRefusal) -> ReportFailure {
        ReportFailure(
            (refusal.cause ?? .unreadable).rawValue, refusal.text, retryAfterSeconds: refusal.retryAfterSeconds)
    }

    /// This exporter ends before agents had their time.
    static let stopping = ReportFailure(SampleSelection.stopping, "the proxy is being stopped: try again")

    /// An agent that may have it has not said.
    static let notAnswered = ReportFailure(
        SampleSelection.noAnswer, "not known, and the agent has not answered: try again later")

    static let causes =
        AskRefusal.allCases.map(\.rawValue) + [tooLarge(limitBytes: 0), unread, stopping].map(\.cause) + [tooManyBytes]
}
