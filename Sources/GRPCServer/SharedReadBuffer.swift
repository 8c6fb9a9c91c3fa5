// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The one buffer that all connections of a server are read into, in turn. Bytes are taken in completely before the next
/// read, so a buffer a connection would only cost memory (a thousand idle ones) and cache.
final class SharedReadBuffer {
    /// Limit of one read. Two reads take in a connection's basic window; larger ones gain nothing measurable.
    static let readBytes = 128 << 10

    private var buffer: ByteBuffer?

    func take() -> ByteBuffer {
        defer { buffer = nil }
        return buffer ?? ByteBufferAllocator().buffer(capacity: SharedReadBuffer.readBytes)
    }

    func give(_ used: consuming ByteBuffer) {
        guard used.storageCapacity >= SharedReadBuffer.readBytes else { return }
        buffer = used
    }
}

/// Hands the shared buffer to NIO. NIO keeps the first buffer of a channel for itself and takes further ones from here as
/// long as it is told that the size grows: so the first is a small one, for the preface.
struct SharedReadBufferAllocator: RecvByteBufferAllocator {
    private static let firstBytes = 512

    private let shared: NIOLoopBound<SharedReadBuffer>
    private var hasRead = false

    init(_ shared: SharedReadBuffer, eventLoop: any EventLoop) {
        self.shared = NIOLoopBound(shared, eventLoop: eventLoop)
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        guard hasRead else { return allocator.buffer(capacity: SharedReadBufferAllocator.firstBytes) }
        var buffer = shared.value.take()
        buffer.clear()
        return buffer
    }

    mutating func record(actualReadBytes: Int) -> Bool {
        hasRead = true
        return true
    }
}
