// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The body of an answer.
public enum HTTPBody {
    /// Ready bytes; sent with Content-Length.
    case bytes(ByteBuffer)

    /// A stream of unknown length: chunked for HTTP/1.1, ended by the connection's end for HTTP/1.0.
    case producer(any HTTPBodyProducer)

    /// A stream of known length, sent with Content-Length. One that gives more or fewer bytes is cut.
    case sized(any HTTPBodyProducer, byteCount: Int)

    /// To HEAD alone: a body whose length nobody knows before it is made. The head of the answer says nothing of it.
    case unmade

    /// Text as UTF-8.
    public static func text(_ text: String) -> HTTPBody {
        .bytes(ByteBuffer(string: text))
    }

    public static var empty: HTTPBody { .bytes(ByteBuffer()) }
}

/// Makes a body piece by piece, at the pace of the client that reads it.
public protocol HTTPBodyProducer {
    /// Appends about `targetBytes` bytes to `buffer`, which has room for some more than that. The server calls it on
    /// its event loop and only when the client can take more; a call must be done within 20 ms, as everybody else
    /// waits. It may append nothing and return `.more` when a slice of its work is over.
    mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress
}

/// To HEAD alone: stands for a body that GET would be given in chunks.
public struct UnmadeBody: HTTPBodyProducer {
    public init() {}

    public mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress { .done }
}

/// The state of a producer after each piece.
public enum HTTPBodyProgress: Sendable, Equatable {
    /// Call again when the client can take more.
    case more

    /// Nothing there at present: call again after `HTTPResponder.resumeBody()`.
    case waiting

    /// The bytes in the buffer are the last ones.
    case done

    /// The body cannot be completed: the connection is cut, so that no client takes the part for the whole.
    case failed
}

/// Whether and by whom a body is compressed.
public enum HTTPCompression: Sendable {
    /// Sent as it is, to everybody.
    case never

    /// The server compresses it for a client that accepts gzip, and sends `Vary: Accept-Encoding` in any case.
    case whenAccepted

    /// The body is gzip already; the caller has asked `HTTPRequest.acceptsGzip`.
    case precompressed

    /// The body is plain and would have been gzip for another client: only `Vary` is added.
    case declined
}
