// SPDX-License-Identifier: Apache-2.0
import Platform

/// The pieces of a tar archive in POSIX.1-2001's format: ustar headers, and extended ones before names that do not fit.
enum TarArchive {
    private static let blockBytes = 512
    /// Of a name in a ustar header.
    private static let nameBytes = 100
    /// Ends an archive.
    static let end = [UInt8](repeating: 0, count: 2 * blockBytes)

    /// The header of a regular file.
    ///
    /// - Parameters:
    ///   - name: with `/` between folders.
    ///   - byteCount: of the content that follows.
    ///   - modifiedSeconds: since the epoch; what a header has no room for becomes the earliest or latest time that it has.
    static func header(_ name: String, byteCount: Int, modifiedSeconds: Int64) -> [UInt8] {
        guard name.utf8.count > nameBytes else {
            return block(name, byteCount: byteCount, modifiedSeconds: modifiedSeconds, type: UInt8(ascii: "0"))
        }
        let record = record("path", name)
        return block("name", byteCount: record.count, modifiedSeconds: modifiedSeconds, type: UInt8(ascii: "x"))
            + record
            + padding(byteCount: record.count)
            + block(
                String(decoding: name.utf8.suffix(nameBytes), as: UTF8.self), byteCount: byteCount,
                modifiedSeconds: modifiedSeconds, type: UInt8(ascii: "0"))
    }

    /// The bytes that fill the last block of a content.
    static func padding(byteCount: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: (blockBytes - byteCount % blockBytes) % blockBytes)
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts itself.
    private static func record(_ key: String, _ value: String) -> [UInt8] {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count + 1
        while "\(length)".utf8.count + rest.utf8.count != length { length += 1 }
        return Array("\(length)\(rest)".utf8)
    }

    private static func block(_ name: String, byteCount: Int, modifiedSeconds: Int64, type: UInt8) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockBytes)
        func put(_ text: some Sequence<UInt8>, at place: Int) {
            for (index, byte) in text.enumerated() { block[place + index] = byte }
        }
        put(name.utf8.prefix(nameBytes), at: 0)
        put(octal(0o644, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(Int64(byteCount), digits: 11), at: 124)
        put(octal(min(max(0, modifiedSeconds), latestSeconds), digits: 11), at: 136)
        put(repeatElement(UInt8(ascii: " "), count: 8), at: 148)
        block[156] = type
        put("ustar".utf8, at: 257)
        put("00".utf8, at: 263)
        let sum = block.reduce(0) { $0 + Int64($1) }
        put(octal(sum, digits: 6), at: 148)
        block[154] = 0
        return block
    }

    /// - Precondition: the number has no more digits than that.
    private static func octal(_ number: Int64, digits: Int) -> [UInt8] {
        let text = String(number, radix: 8)
        precondition(text.utf8.count <= digits, "the archive's fields have no room for \(number)")
        return Array((String(repeating: "0", count: digits - text.utf8.count) + text).utf8)
    }

    /// The largest content that a header has room for: 8 GiB.
    static let largestBytes = (1 << 33) - 1
    /// In the year 2242.
    private static let latestSeconds: Int64 = (1 << 33) - 1
}
