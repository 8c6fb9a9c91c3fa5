// SPDX-License-Identifier: Apache-2.0

/// Memory that is kept from one record to the next, so that reading allocates nothing once it is large enough.
struct ScratchBuffer: ~Copyable {
    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// A larger buffer is given back after use: one large record should not cost its size for good.
    static let keptBytes = 4 << 20
    private static let smallestBytes = 64 << 10

    deinit {
        buffer.deallocate()
    }

    /// At least `byteCount` bytes, valid until the next call.
    mutating func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if let start = buffer.baseAddress, buffer.count >= byteCount { return start }
        buffer.deallocate()
        let size = max(byteCount, Self.smallestBytes)
        buffer = .allocate(byteCount: size, alignment: 16)
        return buffer.baseAddress.unsafelyUnwrapped
    }

    mutating func trim() {
        guard buffer.count > Self.keptBytes else { return }
        buffer.deallocate()
        buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
}
