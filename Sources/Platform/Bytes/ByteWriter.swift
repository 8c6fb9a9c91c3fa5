// SPDX-License-Identifier: Apache-2.0

/// Appends bytes to memory of a fixed size: the rendering loops' pen.
///
/// Copies go in blocks of 32 bytes and may write garbage behind what counts (never behind the capacity), because a
/// fixed-size block is two instructions and a `memcpy` of an odd length is a call. Every method checks its bounds;
/// writing more than there is room for is a programming error and traps, so callers ask `freeCapacity` once per line.
public struct ByteWriter: ~Copyable {
    // Safe because only `OutputRawSpan.withByteWriter` and `Array.append(atMost:_:)` make one, which lend it for the
    // length of a closure in which the memory behind `base` is exclusively theirs; the writer cannot be copied out of
    // it.
    @usableFromInline let base: UnsafeMutableRawPointer
    public let capacity: Int
    @usableFromInline var end: Int
    public var count: Int { @inlinable @inline(__always) get { end } }

    @inlinable @inline(__always)
    init(base: UnsafeMutableRawPointer, capacity: Int, count: Int) {
        self.base = base
        self.capacity = capacity
        self.end = count
    }

    @inlinable @inline(__always) public var freeCapacity: Int { capacity &- count }

    /// Copies are made in blocks of this many bytes; with so much room to spare behind a line every copy takes the
    /// short way.
    @inlinable @inline(__always) public static var blockBytes: Int { 32 }

    @inlinable @inline(__always)
    public mutating func append(_ byte: UInt8) {
        precondition(count < capacity, "no room for a byte")
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        end &+= 1
    }

    /// Stores `value` `distance` bytes ahead of the end without moving the end.
    @inlinable @inline(__always)
    public mutating func store<T: BitwiseCopyable>(_ value: T, ahead distance: Int) {
        precondition(distance >= 0 && distance <= capacity &- count &- MemoryLayout<T>.size, "no room for the value")
        base.storeBytes(of: value, toByteOffset: count &+ distance, as: T.self)
    }

    /// Loads what lies `distance` bytes ahead of the end, where `store` has put it.
    @inlinable @inline(__always)
    public func load<T: BitwiseCopyable>(ahead distance: Int, as type: T.Type) -> T {
        precondition(distance >= 0 && distance <= capacity &- count &- MemoryLayout<T>.size, "no room for the value")
        return base.loadUnaligned(fromByteOffset: count &+ distance, as: T.self)
    }

    /// Takes in `byteCount` bytes that were stored ahead.
    @inlinable @inline(__always)
    public mutating func advance(by byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= capacity &- count, "advanced beyond the capacity")
        end &+= byteCount
    }

    /// Gives back everything from `newCount` on.
    @inlinable @inline(__always)
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "truncation would grow")
        end = newCount
    }

    @inlinable @inline(__always)
    public mutating func append<T: BitwiseCopyable>(bytesOf value: T) {
        store(value, ahead: 0)
        end &+= MemoryLayout<T>.size
    }

    /// Appends `byteCount` bytes of `source` from `offset` on.
    @inlinable @inline(__always)
    public mutating func append(_ source: RawSpan, from offset: Int, byteCount: Int) {
        precondition(
            offset >= 0 && byteCount >= 0 && byteCount <= source.byteCount &- offset && byteCount <= capacity &- count,
            "copy out of bounds")
        let rounded = (byteCount &+ 31) & ~31
        let destination = base + count
        source.withUnsafeBytes { bytes in
            // The precondition has shown both ranges to be inside; nothing is copied from an empty source without an
            // address.
            guard byteCount > 0, let start = bytes.baseAddress else { return }
            if rounded <= source.byteCount &- offset && rounded <= capacity &- count {
                Self.copyBlocks(from: start + offset, to: destination, byteCount: byteCount)
            } else {
                destination.copyMemory(from: start + offset, byteCount: byteCount)
            }
        }
        end &+= byteCount
    }

    /// Appends `byteCount` bytes that were written before, from `offset` on.
    @inlinable @inline(__always)
    public mutating func repeatBytes(from offset: Int, byteCount: Int) {
        precondition(
            offset >= 0 && byteCount >= 0 && byteCount <= count &- offset && byteCount <= capacity &- count,
            "repetition out of bounds")
        // The source ends where the destination starts at the latest, so the bytes that count never overlap. A block
        // read beyond them is inside the capacity, because the destination's rounded end, which lies behind it, is.
        if (byteCount &+ 31) & ~31 <= capacity &- count {
            Self.copyBlocks(from: base + offset, to: base + count, byteCount: byteCount)
        } else {
            (base + count).copyMemory(from: base + offset, byteCount: byteCount)
        }
        end &+= byteCount
    }

    /// Replaces what was written from `start` on, except its first `prefix` and its last `suffix` bytes, with
    /// `byteCount` bytes of `source` from `offset` on.
    public mutating func rewrite(
        from start: Int, prefix: Int, _ source: RawSpan, from offset: Int, byteCount: Int, suffix: Int
    ) {
        precondition(start >= 0 && start <= count && prefix >= 0 && suffix >= 0, "rewritten range was not written")
        precondition(prefix <= count &- start && suffix <= count &- start &- prefix, "kept parts overlap")
        precondition(offset >= 0 && byteCount >= 0 && byteCount <= source.byteCount &- offset, "copy out of bounds")
        let middle = start &+ prefix
        let newCount = middle &+ byteCount &+ suffix
        precondition(newCount <= capacity, "no room for the rewritten text")
        // `copyMemory` allows the overlap of the suffix with itself; the middle comes from elsewhere and goes where
        // nothing is kept.
        (base + (middle &+ byteCount)).copyMemory(from: base + (count &- suffix), byteCount: suffix)
        source.withUnsafeBytes { bytes in
            guard byteCount > 0, let first = bytes.baseAddress else { return }
            (base + middle).copyMemory(from: first + offset, byteCount: byteCount)
        }
        end = newCount
    }

    /// The written bytes, from `offset` on, for `byteCount` bytes, as an array.
    public func bytes(from offset: Int, byteCount: Int) -> [UInt8] {
        precondition(offset >= 0 && byteCount >= 0 && byteCount <= count - offset, "range was not written")
        return [UInt8](UnsafeRawBufferPointer(start: base + offset, count: byteCount))
    }

    /// Both sides must have `byteCount` rounded up to 32 bytes.
    @inlinable @inline(__always)
    static func copyBlocks(from source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, byteCount: Int) {
        var offset = 0
        while offset < byteCount {
            let low = source.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
            let high = source.loadUnaligned(fromByteOffset: offset &+ 16, as: SIMD16<UInt8>.self)
            destination.storeBytes(of: low, toByteOffset: offset, as: SIMD16<UInt8>.self)
            destination.storeBytes(of: high, toByteOffset: offset &+ 16, as: SIMD16<UInt8>.self)
            offset &+= 32
        }
    }
}

extension OutputRawSpan {
    /// Lends the free part of the span as a writer; what the writer has counted at the end is initialised. Offsets of
    /// the writer are those of the span.
    @inlinable @inline(__always)
    public mutating func withByteWriter<R, E: Error>(_ body: (inout ByteWriter) throws(E) -> R) throws(E) -> R {
        // The buffer is ours alone for the length of the closure, and the writer keeps count within its capacity.
        try withUnsafeMutableBytes { (buffer: UnsafeMutableRawBufferPointer, initialized: inout Int) throws(E) -> R in
            guard let start = buffer.baseAddress else {
                return try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { (nothing) throws(E) -> R in
                    var writer = ByteWriter(base: nothing.baseAddress!, capacity: 0, count: 0)
                    return try body(&writer)
                }
            }
            var writer = ByteWriter(base: start, capacity: buffer.count, count: initialized)
            let result = try body(&writer)
            initialized = writer.count
            return result
        }
    }
}
