// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// A few buffers of whole messages, kept for the next ones: getting half a megabyte from the kernel page by page for every
/// message would cost more than filling it.
final class BufferPool {
    /// Larger ones are given back: one 32 MiB message must not stay for ever.
    static let maxKeptBytes = 1 << 20
    static let maxKeptCount = 8
    /// The initial size of a new buffer, however long the message claims to be: reserved is what has come, doubled.
    static let firstBytes = 64 << 10

    private var buffers: [ByteBuffer] = []

    func take(expectedBytes: Int) -> ByteBuffer {
        if let buffer = buffers.popLast() { return buffer }
        return ByteBufferAllocator().buffer(capacity: min(expectedBytes, BufferPool.firstBytes))
    }

    func give(_ buffer: consuming ByteBuffer) {
        guard buffer.capacity <= BufferPool.maxKeptBytes, buffers.count < BufferPool.maxKeptCount else { return }
        buffer.clear()
        buffers.append(buffer)
    }
}
