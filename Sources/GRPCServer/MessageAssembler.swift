// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import NIOCore

/// Cuts the bytes of one call into messages (gRPC over HTTP/2, "Length-Prefixed-Message"), however DATA frames cut them.
/// A message that lies in one chunk is pointed at; one that does not is gathered in a buffer from the pool.
struct MessageAssembler {
    enum Step {
        /// A whole message, at this place of the chunk.
        case inPlace(Range<Int>)
        /// A whole message that came in several chunks. Goes back to the pool when it has been read.
        case assembled(ByteBuffer)
        /// The chunk is used up.
        case needsMore
        case failed(GRPCStatus, GRPCCallRefusal)
    }

    /// Flag and length in front of every message.
    static let prefixBytes = 5

    var maxMessageBytes: Int

    private var prefix: UInt64 = 0
    private var prefixCount = 0
    private var buffer = ByteBuffer()
    /// The length of the message that is coming in, once its prefix is known.
    private(set) var expectedBytes: Int?

    init(maxMessageBytes: Int) { self.maxMessageBytes = maxMessageBytes }

    /// Bytes of the unfinished message that are here.
    private var assembledBytes: Int { buffer.readableBytes }
    /// Memory that they take: buffers double when they are full. Memory that a buffer from the pool has beyond that is the pool's.
    var reservedBytes: Int { min(buffer.storageCapacity, max(2 * assembledBytes, BufferPool.firstBytes)) }
    /// The length in the last whole prefix, however large.
    var announcedBytes: Int { Int(prefix & 0xffff_ffff) }
    /// A message has begun and not ended.
    var isInMessage: Bool { prefixCount > 0 }

    /// Goes on in `chunk` at `offset`, up to the end of a message or of the chunk.
    mutating func next(in chunk: RawSpan, at offset: inout Int, pool: BufferPool) -> Step {
        if expectedBytes == nil {
            while prefixCount < MessageAssembler.prefixBytes {
                guard offset < chunk.byteCount else { return .needsMore }
                prefix = prefix << 8 | UInt64(chunk.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
                prefixCount += 1
                offset += 1
            }
            if let failure = judgePrefix() { return failure }
        }
        guard let expectedBytes else { return .needsMore }
        let available = chunk.byteCount - offset
        if assembledBytes == 0, available >= expectedBytes {
            let range = offset..<(offset + expectedBytes)
            offset += expectedBytes
            begin()
            return .inPlace(range)
        }
        guard available > 0 else { return .needsMore }
        if assembledBytes == 0 { buffer = pool.take(expectedBytes: expectedBytes) }
        let taken = min(available, expectedBytes - assembledBytes)
        buffer.writeBytes(chunk.extracting(offset..<(offset + taken)))
        offset += taken
        guard assembledBytes == expectedBytes else { return .needsMore }
        var message = ByteBuffer()
        swap(&message, &buffer)
        begin()
        return .assembled(message)
    }

    /// Forgets an unfinished message.
    mutating func drop(into pool: BufferPool) {
        if buffer.capacity > 0 {
            var dropped = ByteBuffer()
            swap(&dropped, &buffer)
            pool.give(dropped)
        }
        begin()
    }

    private mutating func begin() {
        prefix = 0
        prefixCount = 0
        expectedBytes = nil
    }

    private mutating func judgePrefix() -> Step? {
        let length = Int(prefix & 0xffff_ffff)
        switch prefix >> 32 {
        case 0: break
        case 1:
            return .failed(GRPCStatus(.unimplemented, "compressed messages are not supported"), .unsupportedEncoding)
        default: return .failed(GRPCStatus(.internalError, "a message's flag is neither 0 nor 1"), .badMessageFrame)
        }
        guard length <= maxMessageBytes else {
            let text = "message of \(length) bytes is larger than the limit of \(maxMessageBytes)"
            return .failed(GRPCStatus(.resourceExhausted, text), .messageTooLarge)
        }
        expectedBytes = length
        return nil
    }
}
