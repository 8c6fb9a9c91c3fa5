// SPDX-License-Identifier: Apache-2.0

/// Rows and series of a column, and where its bytes are.
struct ColumnShape {
    static let planes = 8

    let rows: Int
    let series: Int

    var count: Int { rows * series }
    var kindsByteCount: Int { (series + 7) / 8 }
    var planesByteCount: Int { Self.planes * count }
    var byteCount: Int { kindsByteCount + planesByteCount }

    /// Planes up to the last one that is not all zeros.
    func usedPlanes(_ bytes: RawSpan) -> Int {
        var used = Self.planes
        while used > 0, Self.isZero(bytes.extracting((used - 1) * count..<used * count)) { used -= 1 }
        return used
    }

    private static func isZero(_ bytes: RawSpan) -> Bool {
        var (offset, any) = (0, UInt64(0))
        while offset + 8 <= bytes.byteCount {
            any |= bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < bytes.byteCount {
            any |= UInt64(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            offset += 1
        }
        return any == 0
    }

    /// A word out of its bytes. The place is inside of a plane, and the planes are those of this shape.
    func word(_ bytes: RawSpan, at place: Int, usedPlanes: Int) -> UInt64 {
        var word: UInt64 = 0
        var (offset, shift) = (place, UInt64(0))
        for _ in 0..<usedPlanes {
            word |= UInt64(bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)) &<< shift
            offset &+= count
            shift &+= 8
        }
        return word
    }
}

/// The one or two rows before the first one of a column.
struct ColumnBefore: Equatable {
    var last: [UInt64]
    /// The row before the last one, with as many series; `nil`: the last one is the first.
    private(set) var earlier: [UInt64]?

    init(last: [UInt64], earlier: [UInt64]? = nil) {
        self.last = last
        self.earlier = earlier?.count == last.count ? earlier : nil
    }
}
