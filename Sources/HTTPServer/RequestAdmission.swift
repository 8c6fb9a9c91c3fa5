// SPDX-License-Identifier: Apache-2.0
import Platform

/// The request of a well-formed head: the checks of sense, in the order in which their failures leave the least doubt
/// about where the next request begins.
struct RequestAdmission {
    /// Exactly one of these two is set. The connection can go on after this rejection: where the next request begins is
    /// known. A fault that makes that doubtful is thrown.
    var request: HTTPRequest?
    var rejection: RequestRejection?
    var isHead: Bool
    var isVersion10: Bool
    var keepsAlive: Bool
    /// Bytes of a body to throw away before the next request.
    var bodyBytes: Int
    var wantsContinue: Bool

    static let allowedMethods = "GET, HEAD"

    init(
        _ head: RequestHead, limits: HTTPRequestLimits, peer: String, source: NetworkSource = .unknown
    ) throws(RequestRejection) {
        isHead = head.method == "HEAD"
        isVersion10 = head.minorVersion == 0
        try Self.checkHost(head)
        keepsAlive = Self.keepsAlive(head)
        bodyBytes = 0
        wantsContinue = false
        guard isHead || head.method == "GET" else {
            rejection = RequestRejection(
                status: 405, cause: .methodNotAllowed,
                message: "method \(head.method.prefix(32)) is not allowed; allowed: \(Self.allowedMethods)")
            // Methods that usually have a body get the same answer whatever its size, but only a small one is read.
            if let byteCount = try? Self.bodyBytes(head, limits: limits) {
                bodyBytes = byteCount
            } else {
                keepsAlive = false
            }
            return
        }
        bodyBytes = try Self.bodyBytes(head, limits: limits)
        wantsContinue = try Self.wantsContinue(head) && bodyBytes > 0
        do {
            let target = try RequestTarget(head.target, limits: limits)
            request = HTTPRequest(
                isHead: isHead, path: target.path, pathSegments: target.pathSegments, query: target.query,
                fields: head.fields, peer: peer, source: source)
        } catch {
            rejection = error
        }
    }

    /// RFC 9112 section 3.2: exactly one Host in HTTP/1.1; two could make two servers see different requests.
    private static func checkHost(_ head: RequestHead) throws(RequestRejection) {
        let count = head.fields.count(of: "host")
        guard count <= 1 else { throw .badRequest(.badHost, "there are \(count) Host header fields") }
        guard let host = head.fields.joined("host") else {
            if head.minorVersion == 0 { return }
            throw .badRequest(.badHost, "an HTTP/1.1 request needs a Host header field")
        }
        let isHostByte: (UInt8) -> Bool = { byte in
            ASCII.isToken(byte) || "[]:();,=".utf8.contains(byte)
        }
        guard host.utf8.allSatisfy(isHostByte) else {
            throw .badRequest(.badHost, "the Host header field is not a host and port")
        }
    }

    private static func bodyBytes(_ head: RequestHead, limits: HTTPRequestLimits) throws(RequestRejection) -> Int {
        let lengthCount = head.fields.count(of: "content-length")
        guard head.fields.count(of: "transfer-encoding") == 0 else {
            if lengthCount > 0 {
                throw .badRequest(.badFraming, "Content-Length and Transfer-Encoding are in one request")
            }
            throw RequestRejection(
                status: 411, cause: .badFraming, message: "a request body must come with a Content-Length here")
        }
        guard lengthCount <= 1 else {
            throw .badRequest(.badFraming, "there are \(lengthCount) Content-Length header fields")
        }
        guard let text = head.fields.joined("content-length") else { return 0 }
        guard !text.isEmpty, text.utf8.allSatisfy(ASCII.isDigit) else {
            throw .badRequest(.badFraming, "the Content-Length is not a number")
        }
        // A number that overflows is too large as well.
        guard let byteCount = Int(text), byteCount <= limits.bodyBytes else {
            throw RequestRejection(
                status: 413, cause: .bodyTooLarge,
                message: "the request body is longer than \(limits.bodyBytes) bytes")
        }
        return byteCount
    }

    private static func wantsContinue(_ head: RequestHead) throws(RequestRejection) -> Bool {
        guard head.minorVersion > 0, let expectation = head.fields.joined("expect") else { return false }
        guard expectation.lowercased() == "100-continue" else {
            throw RequestRejection(
                status: 417, cause: .unsupportedExpectation, message: "the only supported expectation is 100-continue")
        }
        return true
    }

    private static func keepsAlive(_ head: RequestHead) -> Bool {
        var hasClose = false
        var hasKeepAlive = false
        for option in (head.fields.joined("connection") ?? "").lowercased().utf8.split(separator: UInt8(ascii: ",")) {
            let name = String(Substring(option)).filter { $0 != " " && $0 != "\t" }
            hasClose = hasClose || name == "close"
            hasKeepAlive = hasKeepAlive || name == "keep-alive"
        }
        return !hasClose && (head.minorVersion > 0 || hasKeepAlive)
    }
}
