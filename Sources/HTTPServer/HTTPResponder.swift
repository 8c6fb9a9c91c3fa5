// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Handlers are asked on the server's event loop, one request of a connection after the other.
public protocol HTTPRequestHandler: AnyObject {
    /// Must answer through `responder`, at once or later; a responder that is never answered holds its connection until
    /// the client leaves.
    func handle(_ request: HTTPRequest, _ responder: HTTPResponder)
}

/// The way to answer one request. Everything on the server's event loop.
public final class HTTPResponder {
    /// Called once when the client has gone away, or was cut, before its answer was complete.
    public var onClose: (() -> Void)?

    /// True when nobody waits for this answer any more: it is complete, or the client is gone.
    public private(set) var isClosed = false

    public let request: HTTPRequest

    /// Its body takes of a budget that all answers of its kind have together, until the client has taken it.
    public var holdsReport = false

    private weak var connection: HTTPConnection?

    init(request: HTTPRequest, connection: HTTPConnection) {
        self.request = request
        self.connection = connection
    }

    /// Answers. The first call counts, later ones are ignored; so is one after `isClosed`.
    ///
    /// Content-Length, Transfer-Encoding, Date, Connection and, for `compression`, Content-Encoding and Vary are the
    /// server's; `headers` must not repeat them. A HEAD request gets the header fields only, and a stream is not begun.
    ///
    /// - Parameter writeTimeout: in place of ``HTTPServer/Configuration/writeTimeout`` for this answer.
    public func respond(
        status: Int, contentType: String, headers: [(String, String)] = [], body: HTTPBody,
        compression: HTTPCompression = .never, writeTimeout: TimeAmount? = nil
    ) {
        connection?.respond(
            Answer(
                status: status, contentType: contentType, fields: headers, body: body, compression: compression,
                writeTimeout: writeTimeout),
            for: self)
    }

    /// Answers with a line of text.
    public func respond(status: Int, text: String, headers: [(String, String)] = []) {
        respond(status: status, contentType: Answer.plainText, headers: headers, body: .text(text + "\n"))
    }

    /// A producer that said `.waiting` has something again.
    public func resumeBody() {
        connection?.resumeBody(for: self)
    }

    /// The answer cannot be completed: resets the connection at once, whatever waits to be sent, so that no client takes
    /// what it has for the whole. A producer that says `.failed` does the same, but is asked only when the client takes
    /// more. Without effect when the answer is complete.
    public func cut() {
        connection?.cutAnswer(for: self)
    }

    /// Ends the exchange; `isComplete` is false when the client did not get all of it.
    func close(isComplete: Bool) {
        guard !isClosed else { return }
        isClosed = true
        let action = onClose
        onClose = nil
        connection = nil
        if !isComplete { action?() }
    }
}

/// An answer as a handler gave it.
struct Answer {
    static let plainText = "text/plain; charset=utf-8"

    var status: Int
    var contentType: String?
    var fields: [(String, String)]
    var body: HTTPBody
    var compression: HTTPCompression
    var writeTimeout: TimeAmount?
}
