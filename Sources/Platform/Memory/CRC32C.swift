// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// CRC-32C (Castagnoli, RFC 3720 B.4), by the processor's instruction where it has one.
public enum CRC32C {
    /// The checksum of `bytes`, going on from that of what came before them.
    public static func checksum(_ bytes: RawSpan, after before: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, after: before) }
    }

    /// The same for memory that no span covers, such as a mapping.
    public static func checksum(_ bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
        guard let start = bytes.baseAddress else { return before }
        return fodc_crc32c(before, start, bytes.count)
    }

    /// By tables, whatever the processor can do: what the instruction is held against.
    static func checksumByTables(_ bytes: RawSpan, after before: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { return before }
            return fodc_crc32c_portable(before, start, buffer.count)
        }
    }
}
