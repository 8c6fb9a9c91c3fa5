// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Takes one request head at a time out of the bytes of a connection (RFC 9112 sections 2 to 5).
///
/// It is asked for the next head only when the one before it is answered: requests that a client has sent ahead stay
/// bytes, and the memory they take is the connection's input limit. It is strict where leniency has been used to make
/// two servers see different requests: bare LF or CR, folded lines, blanks before the colon and control bytes are
/// errors.
struct RequestHeadParser {
    enum Outcome: Equatable {
        case needsMore
        case head(RequestHead)
        case rejected(RequestRejection)
    }

    /// Empty lines that are skipped before a request line; RFC 9112 section 2.2 asks for at least one.
    private static let maximumLeadingEmptyLines = 4

    private let limits: HTTPRequestLimits
    /// Ends (offset of the CR) of the lines found so far, relative to the reader index.
    private var lineEnds: [Int] = []
    private var lineStart = 0
    private var scannedBytes = 0
    private var leadingEmptyLines = 0

    init(limits: HTTPRequestLimits) {
        self.limits = limits
    }

    /// Consumes a head when it is complete. After `.rejected` the position in the bytes is lost: the connection must
    /// end.
    mutating func next(from buffer: inout ByteBuffer) -> Outcome {
        do {
            guard let byteCount = try scan(&buffer) else { return .needsMore }
            let head = try Self.parse(buffer.readableBytesSpan, lineEnds: lineEnds)
            buffer.moveReaderIndex(forwardBy: byteCount)
            reset()
            leadingEmptyLines = 0
            return .head(head)
        } catch {
            reset()
            return .rejected(error)
        }
    }

    private mutating func reset() {
        lineEnds.removeAll(keepingCapacity: true)
        lineStart = 0
        scannedBytes = 0
    }

    // MARK: Finding the end

    /// The head's length including the empty line that ends it; nil when that has not arrived.
    private mutating func scan(_ buffer: inout ByteBuffer) throws(RequestRejection) -> Int? {
        try skipEmptyLines(&buffer)
        let bytes = buffer.readableBytesSpan
        guard bytes.byteCount > 0 else { return nil }
        // The first half of an empty line, or nothing that may be: the next byte tells.
        if scannedBytes == 0, bytes.byteCount == 1, bytes.byte(at: 0) == ASCII.carriageReturn { return nil }
        try Self.checkFirst(bytes.byte(at: 0))
        while scannedBytes < bytes.byteCount {
            let offset = scannedBytes
            let byte = bytes.byte(at: offset)
            scannedBytes += 1
            if byte == ASCII.lineFeed {
                guard offset > lineStart, bytes.byte(at: offset - 1) == ASCII.carriageReturn else {
                    throw .badRequest(causeAtThisLine, "line \(lineEnds.count + 1) ends without a carriage return")
                }
                let isEmpty = offset - 1 == lineStart
                if isEmpty {
                    try checkHeadLength(scannedBytes)
                    return scannedBytes
                }
                lineEnds.append(offset - 1)
                lineStart = offset + 1
                guard lineEnds.count - 1 <= limits.headerFieldCount else {
                    throw tooLarge("more than \(limits.headerFieldCount) header fields")
                }
            } else if offset > lineStart, bytes.byte(at: offset - 1) == ASCII.carriageReturn {
                throw .badRequest(causeAtThisLine, "line \(lineEnds.count + 1) has a carriage return inside")
            } else if byte < 0x20 && byte != ASCII.tab && byte != ASCII.carriageReturn || byte == 0x7F {
                throw .badRequest(causeAtThisLine, "line \(lineEnds.count + 1) has the control byte \(hexText(byte))")
            }
            try checkLengths(offset: offset, isCarriageReturn: byte == ASCII.carriageReturn)
        }
        return nil
    }

    private var causeAtThisLine: HTTPRejectionCause {
        lineEnds.isEmpty ? .malformedRequestLine : .malformedHeader
    }

    private mutating func skipEmptyLines(_ buffer: inout ByteBuffer) throws(RequestRejection) {
        guard scannedBytes == 0 else { return }
        let lineEnd = UInt16(ASCII.carriageReturn) << 8 | UInt16(ASCII.lineFeed)
        while buffer.getInteger(at: buffer.readerIndex, as: UInt16.self) == lineEnd {
            leadingEmptyLines += 1
            guard leadingEmptyLines <= Self.maximumLeadingEmptyLines else {
                throw .badRequest(.malformedRequestLine, "empty lines instead of a request")
            }
            buffer.moveReaderIndex(forwardBy: 2)
        }
    }

    private static func checkFirst(_ byte: UInt8) throws(RequestRejection) {
        guard !ASCII.isToken(byte), byte != ASCII.carriageReturn else { return }
        let tlsHandshake: UInt8 = 0x16
        if byte == tlsHandshake {
            throw .badRequest(.malformedRequestLine, "this looks like TLS, but this port speaks plain HTTP")
        }
        throw .badRequest(.malformedRequestLine, "a request cannot begin with the byte \(hexText(byte))")
    }

    private func checkLengths(offset: Int, isCarriageReturn: Bool) throws(RequestRejection) {
        let isInRequestLine = lineEnds.isEmpty
        if isInRequestLine, !isCarriageReturn, offset >= limits.requestLineBytes {
            throw RequestRejection(
                status: 414, cause: .requestLineTooLong,
                message: "the request line is longer than \(limits.requestLineBytes) bytes")
        }
        try checkHeadLength(offset + 1)
    }

    private func checkHeadLength(_ byteCount: Int) throws(RequestRejection) {
        guard byteCount <= limits.headBytes else {
            throw tooLarge("the request head is longer than \(limits.headBytes) bytes")
        }
    }

    private func tooLarge(_ message: String) -> RequestRejection {
        RequestRejection(status: 431, cause: .headTooLarge, message: message)
    }

    // MARK: Cutting into parts

    private static func parse(_ bytes: RawSpan, lineEnds: [Int]) throws(RequestRejection) -> RequestHead {
        guard let requestLineEnd = lineEnds.first else {
            throw .badRequest(.malformedRequestLine, "the request line is empty")
        }
        var head = try parseRequestLine(bytes.extracting(0..<requestLineEnd))
        var start = requestLineEnd + 2
        for end in lineEnds.dropFirst() {
            try parseField(bytes.extracting(start..<end), into: &head.fields)
            start = end + 2
        }
        return head
    }

    private static func parseRequestLine(_ line: RawSpan) throws(RequestRejection) -> RequestHead {
        guard let firstBlank = line.firstIndex(of: ASCII.space), firstBlank > 0,
            let secondBlank = line.firstIndex(of: ASCII.space, from: firstBlank + 1), secondBlank > firstBlank + 1,
            line.firstIndex(of: ASCII.space, from: secondBlank + 1) == nil
        else {
            throw .badRequest(.malformedRequestLine, "the request line is not \"METHOD TARGET HTTP/1.1\"")
        }
        let method = line.extracting(0..<firstBlank)
        guard method.allBytes(satisfy: ASCII.isToken) else {
            throw .badRequest(.malformedRequestLine, "the method has a character that is not allowed in one")
        }
        let target = line.extracting(firstBlank + 1..<secondBlank)
        guard target.allBytes(satisfy: { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            throw .badRequest(
                .malformedTarget,
                "the target has a character that must be percent-encoded, such as '#' or a non-ASCII one")
        }
        return RequestHead(
            method: method.text, target: target.text,
            minorVersion: try parseVersion(line.extracting(secondBlank + 1..<line.byteCount)), fields: HTTPFields())
    }

    private static func parseVersion(_ bytes: RawSpan) throws(RequestRejection) -> Int {
        guard bytes.byteCount == 8, bytes.extracting(0..<5).text == "HTTP/", bytes.byte(at: 6) == UInt8(ascii: "."),
            ASCII.isDigit(bytes.byte(at: 5)), ASCII.isDigit(bytes.byte(at: 7))
        else {
            throw .badRequest(.malformedRequestLine, "the request line does not end in HTTP/1.1 or HTTP/1.0")
        }
        guard bytes.byte(at: 5) == UInt8(ascii: "1") else {
            throw RequestRejection(
                status: 505, cause: .unsupportedVersion, message: "\(bytes.text) is not supported, HTTP/1.1 is")
        }
        return bytes.byte(at: 7) == UInt8(ascii: "0") ? 0 : 1
    }

    private static func parseField(_ line: RawSpan, into fields: inout HTTPFields) throws(RequestRejection) {
        if ASCII.isBlank(line.byte(at: 0)) {
            throw .badRequest(.malformedHeader, "a header field is folded over two lines")
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
            throw .badRequest(.malformedHeader, "header field \(fields.count + 1) has no name and colon")
        }
        let name = line.extracting(0..<colon)
        guard name.allBytes(satisfy: ASCII.isToken) else {
            throw .badRequest(
                .malformedHeader,
                "the name of header field \(fields.count + 1) has a blank or another character not allowed in one")
        }
        fields.append(name: name.text, value: line.extracting(colon + 1..<line.byteCount).textWithoutOuterBlanks)
    }
}
