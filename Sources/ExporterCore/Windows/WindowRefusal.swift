// SPDX-License-Identifier: Apache-2.0

/// Why a window request is answered with 503: it cannot be taken, or what has come is not the whole answer.
struct WindowRefusal {
    /// The label `cause` of `fodc_proxy_window_requests_refused_total`.
    enum Cause: String, CaseIterable {
        /// As many run and wait as may.
        case tooMany = "too_many"
        /// It has waited in a place that a client which has fewer of them needed.
        case displaced
        /// The answers do not fit into ``Windows/budgetBytes``.
        case tooLarge = "too_large"
        /// Agents were still sending after ``Windows/longestNanoseconds``.
        case timeout
        /// An agent has sent nothing for 10 s.
        case agentSilent = "agent_silent"
        /// An agent's stream was lost, and the agent is expected back.
        case agentLost = "agent_lost"
        /// An ingest worker was lost, drains, or takes no commands.
        case workerLost = "worker_lost"
        /// A part of the answer did not come through the ring.
        case recordsLost = "records_lost"
        /// This exporter ends or is replaced.
        case shutdown
    }

    var cause: Cause
    /// For the client: what happened, and what to do.
    var text: String

    static let tooMany = Self(
        cause: .tooMany,
        text:
            "\(Windows.maximumRunning) window requests are running and \(Windows.maximumWaiting) are waiting: try again later"
    )
    static let displaced = Self(
        cause: .displaced,
        text:
            "your address has most of the window requests that wait, and another client needs a place: try again later"
    )
    static let timeout = Self(
        cause: .timeout,
        text:
            "agents have not sent all of the window within \(Windows.longestNanoseconds / 1_000_000_000) s: ask for a shorter window, or for one role or pod_name"
    )
    static let recordsLost = Self(
        cause: .recordsLost, text: "a part of the answer was lost between two processes of the proxy: try again")
    static let shutdown = Self(
        cause: .shutdown, text: "this process of the proxy is being stopped or replaced: try again")

    static func tooLarge(budgetBytes: Int) -> Self {
        Self(
            cause: .tooLarge,
            text:
                "the answer would take more than \(budgetBytes >> 20) MiB: ask for a shorter window, or for one role or pod_name"
        )
    }

    static func agentSilent(_ pods: [String]) -> Self {
        Self(
            cause: .agentSilent,
            text: "\(list(pods)) has not answered and has sent nothing for 10 s: select the others by role or pod_name")
    }

    static func agentLost(_ pods: [String]) -> Self {
        Self(
            cause: .agentLost,
            text:
                "the metrics stream of \(list(pods)) was lost and the agent is expected back: try again, or select the others by role or pod_name"
        )
    }

    static func workerLost(_ worker: Int) -> Self {
        Self(cause: .workerLost, text: "ingest-\(worker), which serves some of the agents, is not ready: try again")
    }

    /// Names that are shown of many.
    private static let shownPods = 3

    private static func list(_ pods: [String]) -> String {
        let shown = pods.sorted().prefix(shownPods).map { $0.quoted(atMost: 64) }.joined(separator: ", ")
        let more = pods.count - shownPods
        return "agent \(shown)" + (more > 0 ? " (and \(more) more)" : "")
    }
}
