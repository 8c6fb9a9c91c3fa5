// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import Synchronization
import TestSupport

/// A body of the pattern, with what a producer can do besides giving bytes.
struct PatternBody: HTTPBodyProducer {
    var byteCount: Int
    var sliceBytes = Int.max
    var failsAt: Int?
    var emptyPieceBetween = false
    var onSlice: (Int) -> Void = { _ in }
    var made = 0
    private var wasEmpty = false

    init(byteCount: Int) {
        self.byteCount = byteCount
    }

    mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        if emptyPieceBetween, !wasEmpty {
            wasEmpty = true
            return .more
        }
        wasEmpty = false
        let end = min(made + min(targetBytes, sliceBytes), byteCount, failsAt ?? Int.max)
        buffer.writeBytes(patternBytes(made..<end))
        made = end
        onSlice(made)
        if made == failsAt { return .failed }
        return made == byteCount ? .done : .more
    }
}

/// Gives nothing until it is told to.
final class GatedBody: HTTPBodyProducer {
    var ready: [String] = []
    var isLast = false

    func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        while !ready.isEmpty { buffer.writeString(ready.removeFirst()) }
        return isLast ? .done : .waiting
    }
}

/// Answers by path; `held` requests are answered by the test.
final class TestHandler: HTTPRequestHandler {
    struct Counts {
        var handled: [String] = []
        var closed = 0
        var producedBytes = 0
        var ends: [HTTPRequestEnd] = []
    }

    let counts = Mutex(Counts())
    var held: [HTTPResponder] = []
    /// Given to every `/stream`.
    var writeTimeout: TimeAmount?
    var streams: [HTTPResponder] = []
    var gated: [(HTTPResponder, GatedBody)] = []

    func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        counts.withLock { $0.handled.append(request.path) }
        let byteCount = request.parameter("bytes").flatMap(Int.init) ?? 0
        var body = PatternBody(byteCount: byteCount)
        body.onSlice = { [self] made in counts.withLock { $0.producedBytes = made } }
        switch request.path {
        case "/hello":
            responder.respond(status: 200, text: "hello")
        case "/echo":
            let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
            responder.respond(status: 200, text: query)
        case "/held":
            responder.onClose = { [self] in counts.withLock { $0.closed += 1 } }
            held.append(responder)
        case "/gated":
            let gate = GatedBody()
            gated.append((responder, gate))
            responder.respond(status: 200, contentType: "text/plain", body: .producer(gate))
        case "/stream":
            body.failsAt = request.parameter("fail").flatMap(Int.init)
            body.sliceBytes = request.parameter("slice").flatMap(Int.init) ?? Int.max
            body.emptyPieceBetween = request.parameter("empty") != nil
            responder.onClose = { [self] in counts.withLock { $0.closed += 1 } }
            streams.append(responder)
            responder.respond(
                status: 200, contentType: "application/octet-stream", body: .producer(body), compression: .whenAccepted,
                writeTimeout: writeTimeout)
        case "/sized":
            let claimed = request.parameter("claimed").flatMap(Int.init) ?? byteCount
            responder.respond(
                status: 200, contentType: "application/octet-stream", body: .sized(body, byteCount: claimed))
        case "/bytes":
            let bytes = ByteBuffer(bytes: patternBytes(0..<byteCount))
            responder.respond(
                status: 200, contentType: "application/octet-stream", body: .bytes(bytes), compression: .whenAccepted)
        case "/injected":
            responder.respond(
                status: 200, contentType: "text/plain", headers: [("X-Name", "a\r\nX-Evil: 1"), ("Bad Name", "b")],
                body: .empty)
        default:
            responder.respond(status: 404, text: "no \(request.path)")
        }
    }
}
