// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import RingMessages

/// Why a download has failed. The raw values are metric label values.
enum DownloadFailure: String, CaseIterable {
    case agentError = "agent_error"
    case agentGone = "agent_gone"
    case silent
    case notTaken = "not_taken"
    case busy
    case unknownAgent = "unknown_agent"
    case draining
    /// The agent's ingest worker died, or was replaced.
    case workerLost = "worker_lost"
    /// The agent's ingest worker takes no commands.
    case workerBusy = "worker_busy"
    /// Chunks did not come in order and without gaps.
    case outOfOrder = "out_of_order"
    /// `--spool-max-size` is used up.
    case spoolUsedUp = "spool_used_up"
    /// The spool folder cannot be written, or has no room.
    case spoolFailed = "spool_failed"
    /// The disk of the spool folder does not keep up.
    case spoolTooSlow = "spool_too_slow"
    /// It is too large to be shown in another form.
    case tooLarge = "too_large"
}

/// The answer to a client that has not had a byte yet.
struct DownloadRefusal: Error {
    var failure: DownloadFailure
    var status: Int
    var text: String
    /// It may work after a while.
    var isTransient = false

    /// The wait for a client that is told that it may work later.
    static let retryAfterSeconds = 10
    /// The profile is there, and is not one that can be shown.
    static let unprocessable = 422

    init(_ failure: DownloadFailure, status: Int, text: String, isTransient: Bool = false) {
        self.failure = failure
        self.status = status
        self.text = text
        self.isTransient = isTransient
    }

    func answer(_ responder: HTTPResponder) {
        responder.respond(
            status: status, text: text,
            headers: isTransient ? [("Retry-After", "\(Self.retryAfterSeconds)")] : [])
    }

    // MARK: Kinds

    static let workerBusy = DownloadRefusal(
        .workerBusy, status: 503, text: "the proxy's worker that serves this agent accepts no requests at the moment",
        isTransient: true)
    static let workerLost = DownloadRefusal(
        .workerLost, status: 502, text: "the proxy's worker that served this agent was lost")

    static func outOfOrder(offset: UInt64, expected: UInt64) -> DownloadRefusal {
        DownloadRefusal(
            .outOfOrder, status: 502, text: "the profile arrived out of order: offset \(offset) instead of \(expected)")
    }

    static func incomplete(byteCount: UInt64, of all: UInt64) -> DownloadRefusal {
        DownloadRefusal(
            .outOfOrder, status: 502, text: "only \(byteCount) of the profile's \(all) bytes arrived")
    }

    static func tooLarge(byteCount: UInt64, limitBytes: Int) -> DownloadRefusal {
        DownloadRefusal(
            .tooLarge, status: unprocessable,
            text: "the profile has \(byteCount) bytes or more, and only \(limitBytes) can be shown here; download it "
                + "without format= and use pprof")
    }

    /// For every ending but `complete`.
    init(_ ending: FetchEnding) {
        func text(else text: String) -> String { ending.message.isEmpty ? text : ending.message }
        switch ending.cause {
        case .agentError, .complete:
            self.init(.agentError, status: 404, text: text(else: "the agent cannot read this profile"))
        case .agentGone:
            self.init(.agentGone, status: 502, text: text(else: "the agent has disconnected"))
        case .silent:
            self.init(.silent, status: 504, text: text(else: "the agent does not answer"))
        case .notTaken:
            self.init(
                .notTaken, status: 503, text: text(else: "the client has read nothing for too long"), isTransient: true)
        case .busy:
            self.init(
                .busy, status: 503, text: text(else: "too many downloads wait for this agent"), isTransient: true)
        case .unknownAgent:
            self.init(
                .unknownAgent, status: 503, text: text(else: "the agent is not connected at the moment"),
                isTransient: true)
        case .draining:
            self.init(.draining, status: 503, text: text(else: "the proxy is being stopped"), isTransient: true)
        }
    }

    init(_ failure: SpoolFile.Failure, sizeBytes: UInt64, space: SpoolSpace) {
        switch failure {
        case .spaceUsedUp:
            self.init(
                .spoolUsedUp, status: 503,
                text: "the profile's \(sizeBytes) bytes may not fit into the spool: --spool-max-size is "
                    + "\(space.maximumBytes) bytes, other downloads have \(space.reservedBytes) of them",
                isTransient: sizeBytes <= space.maximumBytes)
        case .diskFull(let freeBytes):
            self.init(
                .spoolFailed, status: 503,
                text: "the spool folder \(space.folder) has \(freeBytes) bytes free, the profile has \(sizeBytes)")
        case .system(let error):
            self.init(.spoolFailed, status: 503, text: "cannot use the spool folder \(space.folder): \(error)")
        case .diskTooSlow:
            self.init(
                .spoolTooSlow, status: 503, text: "the disk of the spool folder \(space.folder) is too slow",
                isTransient: true)
        }
    }
}
