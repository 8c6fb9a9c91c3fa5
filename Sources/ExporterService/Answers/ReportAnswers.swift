// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore

/// Hands reports to their clients. A report is made as a whole, and its bytes are held until the client has taken them: how
/// many bytes of all reports together wait for clients that are slow is bounded, and the slowest make way for the next.
final class ReportAnswers {
    /// Smaller ones are given away at once: a connection holds as much of any answer.
    static let unheldBytes = 256 * 1024
    static let retryAfterSeconds = 5
    static let contentType = "application/json"
    private static let fields = [("Cache-Control", "no-store")]

    private let limitBytes: Int
    private(set) var heldBytes = 0
    private(set) var refused: UInt64 = 0
    /// Ends the answer to the client that takes its report most slowly; false when none is slow.
    var cutSlowestReader: () -> Bool = { false }

    init(limitBytes: Int) {
        self.limitBytes = limitBytes
    }

    /// The cause of reports that are refused because of what others have not taken.
    static let tooManyBytes = "too_many_bytes"

    /// - Returns: false when it was refused.
    @discardableResult
    func respond(_ json: [UInt8], headers: [(String, String)] = [], to responder: HTTPResponder) -> Bool {
        guard !responder.isClosed else { return true }
        if json.count <= Self.unheldBytes {
            send(.bytes(ByteBuffer(bytes: json)), headers, to: responder)
            return true
        }
        while heldBytes + json.count > limitBytes, json.count <= limitBytes, cutSlowestReader() {}
        guard let body = hold(json) else {
            responder.respond(
                status: 503,
                text: json.count > limitBytes
                    ? "this answer would take more than \(limitBytes >> 20) MiB: ask for one role or pod_name"
                    : "answers of \(heldBytes >> 20) MiB wait for clients to take them: try again later, or for one "
                        + "role or pod_name", headers: [("Retry-After", "\(Self.retryAfterSeconds)")])
            return false
        }
        responder.holdsReport = true
        send(.sized(body, byteCount: json.count), headers, to: responder)
        return true
    }

    /// To HEAD: what the answer's head would be, without asking any agent for it. Length and compression depend on what
    /// agents say.
    static func respondHead(to responder: HTTPResponder) {
        responder.respond(
            status: 200, contentType: contentType, headers: fields, body: .unmade, compression: .declined)
    }

    private func send(_ body: HTTPBody, _ headers: [(String, String)], to responder: HTTPResponder) {
        responder.respond(
            status: 200, contentType: Self.contentType, headers: Self.fields + headers, body: body,
            compression: .whenAccepted)
    }

    /// `nil` when too much is held already; counted.
    func hold(_ json: [UInt8]) -> ReportBody? {
        guard heldBytes + json.count <= limitBytes else {
            refused += 1
            return nil
        }
        heldBytes += json.count
        return ReportBody(json, Lease(byteCount: json.count, of: self))
    }

    /// Bytes that are held for as long as somebody has this.
    final class Lease {
        private let byteCount: Int
        private weak var owner: ReportAnswers?

        fileprivate init(byteCount: Int, of owner: ReportAnswers) {
            self.byteCount = byteCount
            self.owner = owner
        }

        deinit { owner?.heldBytes -= byteCount }
    }
}

/// A report, slice by slice, at the pace of the client.
struct ReportBody: HTTPBodyProducer {
    private let json: [UInt8]
    private let lease: ReportAnswers.Lease
    private var sent = 0

    fileprivate init(_ json: [UInt8], _ lease: ReportAnswers.Lease) {
        self.json = json
        self.lease = lease
    }

    mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        let end = min(json.count, sent + targetBytes)
        buffer.writeBytes(json[sent..<end])
        sent = end
        return sent == json.count ? .done : .more
    }
}
