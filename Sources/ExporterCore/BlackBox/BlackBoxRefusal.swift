// SPDX-License-Identifier: Apache-2.0
import Database

/// The answer to a question that the black box cannot answer.
struct BlackBoxRefusal: Error, Equatable, Sendable {
    /// `busy` and `unreadable` are counted as answers that are not whole.
    enum Cause: String, CaseIterable, Sendable {
        /// As many ask as may.
        case busy
        /// The database cannot be read at present.
        case unreadable
    }

    var status: Int
    var text: String
    var cause: Cause?
    var retryAfterSeconds = 1

    /// The recorder tries again as often.
    private static let brokenDiskSeconds = 5

    static func notFound(_ text: String) -> BlackBoxRefusal { BlackBoxRefusal(status: 404, text: text) }
    static func badRequest(_ text: String) -> BlackBoxRefusal { BlackBoxRefusal(status: 400, text: text) }

    static let busy = BlackBoxRefusal(
        status: 503, text: "as many answers out of the black box are being made as may be at a time: try again",
        cause: .busy)

    init(status: Int, text: String, cause: Cause? = nil, retryAfterSeconds: Int = 1) {
        (self.status, self.text, self.cause) = (status, text, cause)
        self.retryAfterSeconds = retryAfterSeconds
    }

    init(_ error: DatabaseError) {
        let hint =
            switch error.cause {
            case .cannotOpen: "; the recorder may not have begun yet, /health says whether it can"
            case .newerSchema: "; read it with fodc-blackbox of that release"
            default: ""
            }
        self.init(
            status: 503, text: "the black box cannot be read: \(error)\(hint)", cause: .unreadable,
            retryAfterSeconds: error.cause == .cannotOpen || error.cause == .locked ? 1 : Self.brokenDiskSeconds)
    }
}
