// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform

/// Some bytes of a download on their way from the ring to the client, or to the spool file and back.
///
/// `@unchecked Sendable`: it belongs to one side at a time. The event loop gives it to the spool thread with a job, and does
/// not touch it until the job is done.
final class SpoolPiece: @unchecked Sendable {
    /// The limit of a piece: one slice of an answer, and a size that NIO's buffers have exactly.
    static let capacityBytes = 256 * 1024

    var bytes: ByteBuffer
    /// Its bytes have been in the spool file, and have been credited then.
    var isTaken = false

    init() {
        bytes = ByteBufferAllocator().buffer(capacity: Self.capacityBytes)
    }

    var byteCount: Int { bytes.readableBytes }
    var roomBytes: Int { Self.capacityBytes - bytes.writerIndex }

    /// Moves the first bytes behind those of a buffer.
    /// - Returns: how many.
    func move(atMost limit: Int, to buffer: inout ByteBuffer) -> Int {
        // The slice shares the piece's memory, and must be gone before the piece is used again.
        guard var part = bytes.readSlice(length: min(limit, byteCount)) else { return 0 }
        return buffer.writeBuffer(&part)
    }

    // MARK: On the spool thread

    /// - Returns: what went wrong.
    func write(to file: UnlinkedFile, at offset: UInt64) -> SystemError? {
        let bytes = self.bytes
        do throws(SystemError) {
            try file.write(bytes.readableBytesSpan, at: offset)
            return nil
        } catch {
            return error
        }
    }

    /// Appends bytes of the file.
    /// - Returns: what went wrong.
    func read(_ byteCount: Int, from file: UnlinkedFile, at offset: UInt64) -> SystemError? {
        do throws(SystemError) {
            try bytes.writeWithOutputRawSpan(minimumWritableBytes: byteCount) { span throws(SystemError) in
                try file.read(byteCount, at: offset, into: &span)
            }
            return nil
        } catch {
            return error
        }
    }
}

/// Pieces that are used again: downloads must not go through fresh memory at the pace of the network.
final class SpoolPiecePool {
    /// The pieces that one download at full speed has in hand.
    private static let maximumIdleCount = 4

    private var idle: [SpoolPiece] = []

    func take() -> SpoolPiece { idle.popLast() ?? SpoolPiece() }

    func giveBack(_ piece: SpoolPiece) {
        guard idle.count < Self.maximumIdleCount else { return }
        piece.bytes.clear()
        piece.isTaken = false
        idle.append(piece)
    }

    /// Nothing is under way: memory is for others.
    func removeAll() { idle = [] }
}
