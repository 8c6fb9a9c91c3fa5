// SPDX-License-Identifier: Apache-2.0
import Platform

/// Copies bytes in runs up to the next one that must be escaped, of which there are few.
enum ByteEscapes {
    @inline(__always)
    static func append(
        _ bytes: RawSpan, to text: inout [UInt8], isSpecial: (UInt8) -> Bool, escape: (UInt8, inout [UInt8]) -> Void
    ) {
        var start = 0
        for place in 0..<bytes.byteCount {
            let byte = bytes.byte(uncheckedAt: place)
            guard isSpecial(byte) else { continue }
            if start < place { text.append(copying: bytes.extracting(start..<place)) }
            escape(byte, &text)
            start = place + 1
        }
        if start < bytes.byteCount { text.append(copying: bytes.extracting(start..<bytes.byteCount)) }
    }

    /// A backslash, then the byte, or `n` for a newline.
    @inline(__always)
    static func backslash(_ byte: UInt8, _ text: inout [UInt8]) {
        text.append(UInt8(ascii: "\\"))
        text.append(byte == UInt8(ascii: "\n") ? UInt8(ascii: "n") : byte)
    }
}
