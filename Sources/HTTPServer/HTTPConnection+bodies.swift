// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TransportSecurity

extension HTTPConnection {
    /// Slices of a body made in a row before the other connections get their turn.
    private static let slicesPerTurn = 4

    /// Bytes that are made at a time while answers on their way take too much memory.
    private static let smallSliceBytes = 48 * 1024

    /// Room in front of a slice for the length of its chunk: eight digits, CR, LF.
    private static let chunkHeaderBytes = 10

    func resumeBody(for responder: HTTPResponder) {
        guard phase == .answering, exchange?.responder === responder, stream?.isWaiting == true else { return }
        stream?.isWaiting = false
        // Not at once: the caller may be the producer.
        pumpLater()
    }

    /// Makes slices of the body while the client takes them.
    /// - Parameter atMost: slices before the others get their turn. At the beginning of an answer one: hundreds may begin in
    ///   one turn, as all who waited for one collection do.
    func pump(atMost: Int = HTTPConnection.slicesPerTurn) {
        // A write can find the channel writable again, or closed, before it returns.
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        var slices = 0
        while phase == .answering, let stream, !stream.isWaiting, channel.isWritable, !isHeldBack {
            guard slices < atMost else { return pumpLater() }
            slices += 1
            makeSlice()
        }
    }

    /// While answers on their way take too much memory each connection has one small slice of its own there.
    private var isHeldBack: Bool { unsentBytes > 0 && server.isShortOfMemory }

    private func pumpLater() {
        channel.eventLoop.assumeIsolated().execute { self.pump() }
    }

    private func makeSlice() {
        server.configuration.onWork?()
        let isShortOfMemory = server.isShortOfMemory
        if isShortOfMemory { _ = server.evictSlowReader() }
        // It may have been the slowest itself.
        guard phase == .answering, let stream else { return }
        let sliceBytes =
            isSecured
            ? min(server.configuration.sliceBytes, TLSServerContext.preferredWriteBytes)
            : server.configuration.sliceBytes
        let targetBytes = isShortOfMemory ? Self.smallSliceBytes : sliceBytes
        var chunk =
            isShortOfMemory
            ? channel.allocator.buffer(capacity: targetBytes + HTTPServer.sliceHeadroomBytes)
            : server.chunkBuffers.take()
        chunk.moveWriterIndex(to: Self.chunkHeaderBytes)
        chunk.moveReaderIndex(to: Self.chunkHeaderBytes)
        let progress = stream.producer.produce(into: &chunk, targetBytes: targetBytes)
        guard self.stream === stream else { return }
        if let remaining = stream.remainingBytes {
            guard chunk.readableBytes <= remaining, progress != .done || chunk.readableBytes == remaining else {
                return cut(.bodyFailed)
            }
            stream.remainingBytes = remaining - chunk.readableBytes
        }
        stream.isWaiting = progress == .waiting
        let isChunked = stream.isChunked
        switch progress {
        case .failed:
            cut(.bodyFailed)
        case .done:
            writeSlice(&chunk, isChunked: isChunked)
            writeLast(isChunked ? ByteBuffer(staticString: "0\r\n\r\n") : ByteBuffer())
        case .more, .waiting:
            writeSlice(&chunk, isChunked: isChunked)
            channel.pipeline.syncOperations.flush()
        }
    }

    private func writeSlice(_ slice: inout ByteBuffer, isChunked: Bool) {
        // An empty chunk would be the end of the body.
        guard slice.readableBytes > 0 else { return server.chunkBuffers.giveBack(slice) }
        if isChunked { frame(&slice) }
        let sent = slice
        let promise = channel.eventLoop.makePromise(of: Void.self)
        noteUnsent(sent.readableBytes)
        promise.futureResult.assumeIsolated().whenComplete { result in
            self.noteUnsent(-sent.readableBytes)
            self.server.chunkBuffers.giveBack(sent)
            // One that was held back is told by nobody else.
            if case .success = result { self.pump() }
        }
        write(slice, promise: promise)
    }

    /// Puts the chunk's length in front of it, in the room that was left there, and CRLF behind it: one piece to write.
    private func frame(_ slice: inout ByteBuffer) {
        let header = String(slice.readableBytes, radix: 16) + "\r\n"
        slice.writeStaticString("\r\n")
        let start = slice.readerIndex - header.utf8.count
        if start >= 0 {
            slice.setString(header, at: start)
            slice.moveReaderIndex(to: start)
        } else {
            // The producer has put a buffer of its own in the place of ours.
            write(ByteBuffer(string: header))
        }
    }
}
