// SPDX-License-Identifier: Apache-2.0

extension RawSpan {
    /// Whether the bytes are UTF-8.
    @inlinable
    public var isUTF8: Bool {
        var place = 0
        while place &+ 8 <= byteCount {
            // Both offsets are inside: the conditions of the loops say so.
            let word = unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { return isUTF8Beyond(place) }
            place &+= 8
        }
        while place < byteCount {
            if unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self) > 0x7f { return isUTF8Beyond(place) }
            place &+= 1
        }
        return true
    }

    /// Whether the bytes from `place` on are UTF-8; those before are ASCII.
    @usableFromInline
    func isUTF8Beyond(_ place: Int) -> Bool {
        extracting(droppingFirst: place).withUnsafeBytes { bytes in
            // Safe: the span does not leave the closure.
            (try? UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)) != nil
        }
    }
}

extension String {
    /// The text whose bytes these are; `nil` when they are not UTF-8.
    public init?(validatingUTF8 bytes: RawSpan) {
        // Safe: the text is made before the closure returns the borrowed bytes.
        guard let text = bytes.withUnsafeBytes({ String(validating: $0, as: UTF8.self) }) else { return nil }
        self = text
    }
}
