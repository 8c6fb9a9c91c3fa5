// SPDX-License-Identifier: Apache-2.0

/// Counts the frames that a peer sends, by their headers alone. nghttp2 says nothing of frames that it passes over: those of
/// unknown types, and DATA of closed streams.
struct FrameScanner {
    /// Frames whose last byte has come.
    private(set) var frameCount = 0

    /// Bytes to be passed over: the rest of the client preface, or of a payload.
    private var skippedBytes: Int
    private var isInPayload = false
    /// Bytes of the present frame's header that have come, and the length that the first three of them give.
    private var headerCount = 0
    private var payloadBytes = 0

    private static let lengthBytes = 3
    private static let headerBytes = 9

    /// - Parameter prefaceBytes: what comes before the first frame.
    init(prefaceBytes: Int) { skippedBytes = prefaceBytes }

    mutating func scan(_ bytes: RawSpan) {
        var place = 0
        while place < bytes.byteCount {
            if skippedBytes > 0 {
                let skipped = min(skippedBytes, bytes.byteCount - place)
                skippedBytes -= skipped
                place += skipped
                if skippedBytes == 0, isInPayload {
                    isInPayload = false
                    frameCount += 1
                }
                continue
            }
            if headerCount < Self.lengthBytes {
                payloadBytes = payloadBytes << 8 | Int(bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self))
            }
            headerCount += 1
            place += 1
            guard headerCount == Self.headerBytes else { continue }
            if payloadBytes == 0 { frameCount += 1 } else { isInPayload = true }
            skippedBytes = payloadBytes
            headerCount = 0
            payloadBytes = 0
        }
    }
}
