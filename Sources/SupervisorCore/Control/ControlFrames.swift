// SPDX-License-Identifier: Apache-2.0
import BinaryCoding

/// Frames of the control socket.
///
/// A request is one frame: its length in bytes (32 bits, little-endian), then fields with zeros between them, the verb
/// first. An answer is any number of frames: the length of what follows, one byte for the kind, the content; the last one
/// says how it ended.
public enum ControlFrames {
    /// A reload brings all flags and some of the environment; no more than a command line and an environment that anybody
    /// writes.
    public static let limitRequestBytes = 256 << 10
    public static let limitFields = 1024
    /// Of one frame of an answer; longer texts are sent in several.
    public static let limitAnswerBytes = 64 << 10
    static let lengthBytes = 4

    /// A piece of an answer.
    public enum Answer: Equatable, Sendable {
        /// For standard output.
        case output([UInt8])
        /// For standard error.
        case error([UInt8])
        /// The last: 0 done, 1 it failed, 2 it was asked wrongly.
        case end(exitCode: UInt8)
    }

    private enum Kind {
        static let output = UInt8(ascii: "o")
        static let error = UInt8(ascii: "e")
        static let end = UInt8(ascii: "x")
    }

    // MARK: Requests

    public static func encode(fields: [String]) -> [UInt8] {
        var writer = BinaryWriter()
        let content = Array(fields.map { Array($0.utf8) }.joined(separator: [0]))
        writer.append(bytes: content.span.bytes)
        return writer.bytes
    }

    /// The request that the bytes begin with; `nil`: it is not complete yet.
    static func decodeRequest(_ bytes: [UInt8]) throws(ControlRequestError) -> [String]? {
        guard let byteCount = length(in: bytes[...]) else { return nil }
        guard byteCount <= limitRequestBytes else {
            throw ControlRequestError("the request is longer than \(limitRequestBytes) bytes")
        }
        guard bytes.count >= lengthBytes + byteCount else { return nil }
        guard bytes.count == lengthBytes + byteCount else {
            throw ControlRequestError("unexpected data after the request")
        }
        let parts = bytes[lengthBytes...].split(separator: 0, maxSplits: limitFields, omittingEmptySubsequences: false)
        guard parts.count <= limitFields else {
            throw ControlRequestError("the request has more than \(limitFields) fields")
        }
        var fields: [String] = []
        for part in parts {
            guard let field = String(validating: part, as: UTF8.self) else {
                throw ControlRequestError("the request is not UTF-8")
            }
            fields.append(field)
        }
        return fields
    }

    // MARK: Answers

    static func encode(_ answer: Answer) -> [UInt8] {
        switch answer {
        case .output(let bytes): pieces(Kind.output, bytes)
        case .error(let bytes): pieces(Kind.error, bytes)
        case .end(let exitCode): pieces(Kind.end, [exitCode])
        }
    }

    /// The answer that the bytes begin with, and how many bytes it takes; `nil`: it is not complete yet.
    static func decodeAnswer(
        _ bytes: ArraySlice<UInt8>
    ) throws(ControlRequestError) -> (answer: Answer, byteCount: Int)? {
        guard let byteCount = length(in: bytes) else { return nil }
        guard (1...limitAnswerBytes).contains(byteCount) else { throw ControlRequestError("invalid answer") }
        guard bytes.count >= lengthBytes + byteCount else { return nil }
        let frame = bytes.dropFirst(lengthBytes).prefix(byteCount)
        let content = Array(frame.dropFirst())
        switch frame.first {
        case Kind.output: return (.output(content), lengthBytes + byteCount)
        case Kind.error: return (.error(content), lengthBytes + byteCount)
        case Kind.end where content.count == 1:
            return (.end(exitCode: content[0]), lengthBytes + byteCount)
        default: throw ControlRequestError("invalid answer")
        }
    }

    private static func pieces(_ kind: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        var writer = BinaryWriter()
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = [kind] + rest.prefix(limitAnswerBytes - 1)
            writer.append(bytes: piece.span.bytes)
            rest = rest.dropFirst(piece.count - 1)
        }
        return writer.bytes
    }

    private static func length(in bytes: ArraySlice<UInt8>) -> Int? {
        var reader = BinaryReader(bytes.span.bytes)
        return (try? reader.integer(UInt32.self)).map(Int.init)
    }
}
