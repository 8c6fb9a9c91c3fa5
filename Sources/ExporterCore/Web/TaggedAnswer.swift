// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import NIOCore
import Platform

/// Answers that a client asks for again and again, with the tag that it had last: if the bytes are the same it is told so,
/// and gets no body.
enum TaggedAnswer {
    /// Weak, because the same bytes are also sent compressed. Another process has other tags.
    static func tag(of bytes: ByteBuffer) -> String {
        "W/\"\(bytes.readableBytes)-\(String(KeyedHash.of(bytes.readableBytesSpan), radix: 16))\""
    }

    /// - Parameters:
    ///   - precompressed: `bytes` as gzip, where that is at hand.
    ///   - maximumAgeSeconds: how long a client may use it without asking; 0: it asks each time.
    static func respond(
        to request: HTTPRequest, _ responder: HTTPResponder, contentType: String, tag: String? = nil,
        headers: [(String, String)] = [], maximumAgeSeconds: Int = 0, precompressed: ByteBuffer? = nil,
        _ bytes: ByteBuffer
    ) {
        let tag = tag ?? Self.tag(of: bytes)
        let caching = maximumAgeSeconds == 0 ? "no-cache" : "private, max-age=\(maximumAgeSeconds)"
        let fields = headers + [("ETag", tag), ("Cache-Control", caching)]
        if isCurrent(tag, request.header("if-none-match")) {
            return responder.respond(
                status: 304, contentType: contentType, headers: fields, body: .empty, compression: .declined)
        }
        if let precompressed, request.acceptsGzip {
            return responder.respond(
                status: 200, contentType: contentType, headers: fields, body: .bytes(precompressed),
                compression: .precompressed)
        }
        responder.respond(
            status: 200, contentType: contentType, headers: fields, body: .bytes(bytes), compression: .whenAccepted)
    }

    /// Whether a client's `If-None-Match` has the tag, compared as RFC 9110 section 8.8.3.2 has it for weak ones.
    static func isCurrent(_ tag: String, _ sent: String?) -> Bool {
        guard let sent else { return false }
        let wanted = opaque(tag[...])
        return sent.split(separator: ",").contains { candidate in
            let candidate = candidate.drop { $0 == " " || $0 == "\t" }
            return candidate.hasPrefix("*") || opaque(candidate) == wanted
        }
    }

    private static func opaque(_ tag: Substring) -> Substring {
        var tag = tag.hasPrefix("W/") ? tag.dropFirst(2) : tag
        while let last = tag.last, last == " " || last == "\t" { tag.removeLast() }
        return tag
    }
}
