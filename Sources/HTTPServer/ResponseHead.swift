// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// How the end of a body is told (RFC 9112 section 6).
enum BodyFraming: Equatable {
    case none
    case length(Int)
    case chunked
    case untilClose
}

/// A status line and header fields on their way into the socket.
struct ResponseHead {
    var status: Int
    var contentType: String?
    var framing: BodyFraming
    var isVersion10: Bool
    var keepsAlive: Bool
    var date: String
    var fields: [(String, String)]

    func write(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString("\(status) \(HTTPStatus.reason(status))\r\n")
        Self.write("Date", date, into: &buffer)
        if let contentType { Self.write("Content-Type", contentType, into: &buffer) }
        switch framing {
        case .length(let byteCount): Self.write("Content-Length", String(byteCount), into: &buffer)
        case .chunked: Self.write("Transfer-Encoding", "chunked", into: &buffer)
        case .untilClose, .none: break
        }
        if !keepsAlive {
            Self.write("Connection", "close", into: &buffer)
        } else if isVersion10 {
            Self.write("Connection", "keep-alive", into: &buffer)
        }
        for (name, value) in fields { Self.write(name, value, into: &buffer) }
        buffer.writeStaticString("\r\n")
    }

    /// A handler may build a value from what an agent said: bytes that would end the field become blanks, and a field
    /// whose name is not a token is left out.
    private static func write(_ name: String, _ value: String, into buffer: inout ByteBuffer) {
        guard !name.isEmpty, name.utf8.allSatisfy(ASCII.isToken) else { return }
        buffer.writeString(name)
        buffer.writeStaticString(": ")
        let isClean = value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        if isClean {
            buffer.writeString(value)
        } else {
            buffer.writeBytes(value.utf8.map { $0 >= 0x20 && $0 != 0x7F ? $0 : ASCII.space })
        }
        buffer.writeStaticString("\r\n")
    }
}
