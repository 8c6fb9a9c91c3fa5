// SPDX-License-Identifier: Apache-2.0
import CISAL

/// Expands gzip (RFC 1952), member after member, up to a limit.
///
/// The one place of this library that touches ISA-L and its pointers: they point into the state and the room that are made
/// here, or into the input for no longer than the call.
enum GzipReader {
    /// Bytes that ISA-L is given to write into at a time.
    private static let stepBytes = 64 << 10

    /// Whether the bytes begin as gzip does. No profile in plain protobuf begins so: 0x1f would be field 3 of a type that
    /// does not exist.
    static func isGzip(_ bytes: RawSpan) -> Bool {
        bytes.byteCount >= 2 && bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == 0x1f
            && bytes.unsafeLoad(fromByteOffset: 1, as: UInt8.self) == 0x8b
    }

    static func expand(_ input: RawSpan, limitBytes: Int) throws(PprofError) -> [UInt8] {
        guard let count = UInt32(exactly: input.byteCount) else {
            throw .tooLarge("bytes of gzip", limit: Int(UInt32.max))
        }
        let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: stepBytes)
        defer {
            state.deallocate()
            room.deallocate()
        }
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
        var output: [UInt8] = []
        let failure: PprofError? = input.withUnsafeBytes { bytes in
            // ISA-L declares its input as mutable, and only reads it.
            state.pointee.next_in = UnsafeMutablePointer(
                mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            state.pointee.avail_in = count
            while true {
                let unread = state.pointee.avail_in
                state.pointee.next_out = room
                state.pointee.avail_out = UInt32(stepBytes)
                let status = isal_inflate(state)
                guard status >= ISAL_DECOMP_OK else {
                    return .malformed("the profile's gzip is damaged after \(output.count) expanded bytes")
                }
                let written = stepBytes - Int(state.pointee.avail_out)
                guard output.count + written <= limitBytes else {
                    return .tooLarge("expanded bytes", limit: limitBytes)
                }
                output.append(contentsOf: UnsafeBufferPointer(start: room, count: written))
                if state.pointee.block_state == ISAL_BLOCK_FINISH {
                    if state.pointee.avail_in == 0 { return nil }
                    isal_inflate_reset(state)
                } else if written == 0, state.pointee.avail_in == unread || state.pointee.avail_in == 0 {
                    return .malformed("the profile's gzip is cut off after \(output.count) expanded bytes")
                }
            }
        }
        if let failure { throw failure }
        return output
    }
}
