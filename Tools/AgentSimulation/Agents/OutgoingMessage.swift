// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A message on its way to a stream; large ones are made as the stream takes them.
struct OutgoingMessage {
    enum Content {
        /// With gRPC's prefix.
        case bytes(ByteBuffer)
        case metrics(AnswerCursor)
        case chunk(ProfileChunkCursor)
    }

    let method: AgentMethod
    /// The last message of an answer. (Never a heartbeat, nor a registration.)
    let endsAnswer: Bool
    private(set) var content: Content

    init(_ content: Content, on method: AgentMethod, endsAnswer: Bool) {
        self.content = content
        self.method = method
        self.endsAnswer = endsAnswer
    }

    init(_ message: [UInt8], on method: AgentMethod, endsAnswer: Bool) {
        self.init(.bytes(ProxyMessageAssembler.framed(message)), on: method, endsAnswer: endsAnswer)
    }

    var isDone: Bool {
        switch content {
        case .bytes(let buffer): buffer.readableBytes == 0
        case .metrics(let cursor): cursor.isDone
        case .chunk(let cursor): cursor.isDone
        }
    }

    /// About so many of the bytes that are next: never none before the end.
    mutating func nextPiece(about byteCount: Int) -> ByteBuffer {
        switch content {
        case .bytes(var buffer):
            let piece = buffer.readSlice(length: min(byteCount, buffer.readableBytes))
            content = .bytes(buffer)
            return piece ?? ByteBuffer()
        case .metrics(var cursor):
            content = .bytes(ByteBuffer())  // or the cursor would be copied when it moves on
            // Whole metrics only, so a little more than asked for.
            var piece = ByteBufferAllocator().buffer(capacity: byteCount + 1024)
            cursor.append(to: &piece, about: byteCount)
            content = .metrics(cursor)
            return piece
        case .chunk(var cursor):
            var piece = ByteBufferAllocator().buffer(capacity: byteCount + ProfileContent.blockBytes)
            cursor.append(to: &piece, about: byteCount)
            content = .chunk(cursor)
            return piece
        }
    }
}
