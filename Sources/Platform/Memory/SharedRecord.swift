// SPDX-License-Identifier: Apache-2.0
import Glibc

/// One record of bytes in shared memory that is whole whenever its writer dies: two copies, written in turn, each with its
/// number and a checksum. The newest whole one counts.
public struct SharedRecord: Sendable {
    /// Bytes of a record at most: a command line and an environment, and 64 workers.
    public static let limitBytes = (512 << 10) - headerBytes
    /// Magic, number, byte count, checksum: a 64-bit word each, little-endian.
    private static let headerBytes = 32
    private static let copyBytes = headerBytes + limitBytes
    /// `FODCRCRD` as a little-endian word.
    private static let magic: UInt64 = 0x4452_4352_4344_4F46

    public let descriptor: Int32
    private var number: UInt64 = 0

    /// New memory. The caller closes its descriptor.
    public init(name: String) throws(SystemError) {
        descriptor = try MemoryFile.create(name: name, byteCount: 2 * Self.copyBytes)
    }

    /// That of a predecessor: goes on with what it says.
    public init(adopting descriptor: Int32) {
        self.descriptor = descriptor
        number = Self.newest(descriptor)?.number ?? 0
    }

    /// The flaw by which a descriptor is not memory of this kind; `nil`: it is. (Its content is checked by ``read(_:)``.)
    public static func flaw(of descriptor: Int32) -> String? {
        guard (try? MemoryFile.byteCount(of: descriptor)) == 2 * copyBytes, MemoryFile.hasSealedSize(descriptor) else {
            return "it is not memory for a record"
        }
        return nil
    }

    public mutating func write(_ bytes: [UInt8]) throws(SystemError) {
        guard bytes.count <= Self.limitBytes else { throw SystemError(call: "writing a record", code: EFBIG) }
        number &+= 1
        let offset = Int(number % 2) * Self.copyBytes
        let header = [Self.magic, number, UInt64(bytes.count), Self.checksum(bytes, number)]
        try Self.write(bytes, to: descriptor, at: offset + Self.headerBytes)
        try Self.write(header.flatMap(Self.bytes), to: descriptor, at: offset)
    }

    /// The newest whole record, or `nil` if the memory holds no record.
    public static func read(_ descriptor: Int32) -> [UInt8]? { newest(descriptor)?.bytes }

    private static func newest(_ descriptor: Int32) -> (number: UInt64, bytes: [UInt8])? {
        (0..<2).compactMap { copy(descriptor, $0) }.max { $0.number < $1.number }
    }

    private static func copy(_ descriptor: Int32, _ index: Int) -> (number: UInt64, bytes: [UInt8])? {
        let offset = index * copyBytes
        guard let header = read(headerBytes, from: descriptor, at: offset) else { return nil }
        let words = (0..<4).map { place in
            header[place * 8..<place * 8 + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        guard words[0] == magic, words[2] <= UInt64(limitBytes),
            let bytes = read(Int(words[2]), from: descriptor, at: offset + headerBytes),
            words[3] == checksum(bytes, words[1])
        else { return nil }
        return (words[1], bytes)
    }

    /// Against what was half written, not against a hostile writer.
    private static func checksum(_ bytes: [UInt8], _ number: UInt64) -> UInt64 {
        UInt64(CRC32C.checksum((bytes + Self.bytes(number)).span.bytes))
    }

    private static func bytes(_ word: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int) throws(SystemError) {
        guard !bytes.isEmpty else { return }
        // Memory takes all at once.
        guard pwrite(descriptor, bytes, bytes.count, offset) == bytes.count else { throw SystemError.last("pwrite") }
    }

    private static func read(_ count: Int, from descriptor: Int32, at offset: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return pread(descriptor, &bytes, count, offset) == count ? bytes : nil
    }
}
