// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Buffers of a body slice's size that have been sent, for the next slice: without it every slice would be an
/// allocation of 256 KiB, which the C library takes from the kernel and which is then faulted in page by page.
struct ChunkBufferPool {
    /// Enough for two clients at full speed; more idle memory buys nothing.
    private static let maximumIdleCount = 8

    private let capacityBytes: Int
    private var idle: [ByteBuffer] = []

    init(capacityBytes: Int) {
        self.capacityBytes = capacityBytes
    }

    mutating func take() -> ByteBuffer {
        guard var buffer = idle.popLast() else { return ByteBufferAllocator().buffer(capacity: capacityBytes) }
        // Allocates anew if somebody still holds the storage, so a buffer given back too early does no harm.
        buffer.clear()
        return buffer
    }

    mutating func giveBack(_ buffer: ByteBuffer) {
        let hasUsualSize = buffer.storageCapacity >= capacityBytes && buffer.storageCapacity <= 2 * capacityBytes
        if idle.count < Self.maximumIdleCount, hasUsualSize { idle.append(buffer) }
    }
}
