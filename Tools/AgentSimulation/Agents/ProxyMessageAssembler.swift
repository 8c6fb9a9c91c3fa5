// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// Cuts what comes on a stream into gRPC messages.
struct ProxyMessageAssembler {
    enum Fault: Error, Equatable {
        case compressed
        case tooLarge(byteCount: Int)
    }

    /// A proxy's request fits into a hundred bytes; more is a mistake that should be seen.
    static let maximumMessageBytes = 1 << 20

    private static let prefixByteCount = AnswerCursor.prefixByteCount
    private var pending = ByteBuffer()

    mutating func append(_ bytes: RawSpan) {
        pending.discardReadBytes()
        pending.writeBytes(bytes)
    }

    /// The next whole message without its prefix, `nil` until a whole message has arrived.
    mutating func next() throws(Fault) -> [UInt8]? {
        let start = pending.readerIndex
        guard let flag = pending.getInteger(at: start, as: UInt8.self),
            let length = pending.getInteger(at: start + 1, as: UInt32.self)
        else { return nil }
        guard flag == 0 else { throw .compressed }
        let byteCount = Int(length)
        guard byteCount <= Self.maximumMessageBytes else { throw .tooLarge(byteCount: byteCount) }
        guard let message = pending.getBytes(at: start + Self.prefixByteCount, length: byteCount) else { return nil }
        pending.moveReaderIndex(forwardBy: Self.prefixByteCount + byteCount)
        return message
    }

    static func framed(_ message: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(prefixByteCount + message.count)
        buffer.writeInteger(0 as UInt8)
        buffer.writeInteger(UInt32(message.count))
        buffer.writeBytes(message)
        return buffer
    }
}
