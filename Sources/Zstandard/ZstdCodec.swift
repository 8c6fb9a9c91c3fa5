// SPDX-License-Identifier: Apache-2.0
import CZstd

/// Compresses and decompresses whole Zstandard frames (RFC 8878) with libzstd.
///
/// The one place that touches libzstd and its pointers: the contexts are this object's alone, and bytes are lent to a
/// call for no longer than it runs. To be used by one thread at a time.
public final class ZstdCodec {
    /// The fastest of the ordinary levels: on transposed samples a tenth larger than level 9 at a fifth of its time.
    public static let defaultLevel: Int32 = 1

    private let compression: OpaquePointer
    private let decompression: OpaquePointer

    /// `nil` without memory for the contexts.
    public init?(level: Int32 = defaultLevel) {
        guard let compression = ZSTD_createCCtx() else { return nil }
        guard let decompression = ZSTD_createDCtx() else {
            ZSTD_freeCCtx(compression)
            return nil
        }
        (self.compression, self.decompression) = (compression, decompression)
        ZSTD_CCtx_setParameter(compression, ZSTD_c_compressionLevel, level)
        // Four bytes a frame, so that a flipped bit on the disk is found and not taken for a value.
        ZSTD_CCtx_setParameter(compression, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        ZSTD_freeCCtx(compression)
        ZSTD_freeDCtx(decompression)
    }

    /// The bytes as one frame, which names their count.
    public func compress(_ bytes: RawSpan) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.byteCount)
        return [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            count = bytes.withUnsafeBytes { input in
                ZSTD_compress2(compression, output.baseAddress, output.count, input.baseAddress, input.count)
            }
            // It fails only for lack of room, which the bound rules out, or of memory.
            precondition(ZSTD_isError(count) == 0, "zstd has no memory to compress with")
        }
    }

    /// How many bytes a frame says that it holds; `nil` when it does not say, or is no frame.
    public static func contentBytes(of frame: RawSpan) -> Int? {
        let count = frame.withUnsafeBytes { ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        // The two largest numbers stand for "unknown" and "error".
        return count >= UInt64.max - 1 ? nil : Int(exactly: count)
    }

    /// The bytes of a frame; `nil` when it is damaged, or says that it holds more than `limitBytes`.
    public func decompress(_ frame: RawSpan, limitBytes: Int) -> [UInt8]? {
        guard let expected = Self.contentBytes(of: frame), expected <= limitBytes else { return nil }
        var isWhole = false
        let bytes = [UInt8](unsafeUninitializedCapacity: expected) { output, count in
            let written = frame.withUnsafeBytes { input in
                ZSTD_decompressDCtx(decompression, output.baseAddress, output.count, input.baseAddress, input.count)
            }
            isWhole = ZSTD_isError(written) == 0 && written == expected
            count = isWhole ? expected : 0
        }
        return isWhole ? bytes : nil
    }
}
