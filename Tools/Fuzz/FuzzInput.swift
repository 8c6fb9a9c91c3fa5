// SPDX-License-Identifier: Apache-2.0

/// The bytes of one input as a target takes them off the front. At their end there are only zeros, so that every input
/// means something.
struct FuzzInput {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    /// A number from 0 on, below a limit of at most 65,536.
    mutating func below(_ limit: Int) -> Int {
        precondition(limit > 0 && limit <= 1 << 16, "two bytes reach it")
        return (limit <= 1 << 8 ? Int(byte()) : Int(byte()) | Int(byte()) << 8) % limit
    }

    /// Eight bytes, little-endian.
    mutating func word() -> UInt64 {
        (0..<8).reduce(UInt64(0)) { $0 | UInt64(byte()) << ($1 * 8) }
    }

    /// As many as there are, at most `count`.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[min(position, end)..<end])
    }

    /// Bytes behind their count, which has two bytes.
    mutating func piece() -> [UInt8] {
        let count = Int(byte()) | Int(byte()) << 8
        return bytes(count)
    }

    mutating func rest() -> [UInt8] { bytes(bytes.count) }

    mutating func text() -> String { String(decoding: piece(), as: UTF8.self) }
}

/// Writes what ``FuzzInput`` reads.
struct SeedWriter {
    private(set) var bytes: [UInt8] = []

    init(_ start: UInt8...) { bytes = start }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func word(_ value: UInt64) {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> (shift * 8))) }
    }

    mutating func piece(_ piece: [UInt8]) {
        let count = min(piece.count, Int(UInt16.max))
        bytes.append(UInt8(count & 0xff))
        bytes.append(UInt8(count >> 8))
        bytes += piece.prefix(count)
    }

    mutating func text(_ text: String) { piece(Array(text.utf8)) }
}
