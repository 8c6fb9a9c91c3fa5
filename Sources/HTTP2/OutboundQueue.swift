// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Bytes to be sent, in pieces as they were given: nothing is copied before they go into a frame.
struct OutboundQueue {
    private(set) var byteCount = 0
    private var pieces: [ByteBuffer] = []
    private var firstPiece = 0

    mutating func append(_ piece: ByteBuffer) {
        guard piece.readableBytes > 0 else { return }
        byteCount += piece.readableBytes
        pieces.append(piece)
    }

    /// Moves the next `count` bytes, which must be there, to the end of `buffer`.
    mutating func move(_ count: Int, into buffer: inout ByteBuffer) {
        precondition(count <= byteCount, "a frame was promised more bytes than are queued")
        var missing = count
        while missing > 0 {
            let piece = pieces[firstPiece]
            let taken = min(missing, piece.readableBytes)
            buffer.writeBytes(piece.readableBytesSpan.extracting(first: taken))
            missing -= taken
            if taken == piece.readableBytes {
                // Gives the piece's memory back now, not when the whole queue is empty.
                pieces[firstPiece] = ByteBuffer()
                firstPiece += 1
            } else {
                pieces[firstPiece].moveReaderIndex(forwardBy: taken)
            }
        }
        byteCount -= count
        if firstPiece == pieces.count {
            pieces.removeAll(keepingCapacity: false)
            firstPiece = 0
        } else if firstPiece > 64, firstPiece * 2 > pieces.count {
            pieces.removeFirst(firstPiece)
            firstPiece = 0
        }
    }

    mutating func removeAll() {
        self = OutboundQueue()
    }
}
