// SPDX-License-Identifier: Apache-2.0

/// Sizes in bytes as flags take them: `33554432`, `512KiB`, `80MiB`, `2GiB`, and `1MB` for a million.
public enum ByteSize {
    public static let kibibyte = 1 << 10
    public static let mebibyte = 1 << 20
    public static let gibibyte = 1 << 30

    private static let units: [(name: String, bytes: Int)] = [
        ("KiB", kibibyte), ("MiB", mebibyte), ("GiB", gibibyte),
        ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("B", 1),
    ]

    /// `nil` if `text` is not a whole number with none or one of these units, or if it does not fit an Int.
    public static func parse(_ text: String) -> Int? {
        var digits = text[...]
        var unitBytes = 1
        if let unit = units.first(where: { text.hasSuffix($0.name) }) {
            digits = digits.dropLast(unit.name.count)
            unitBytes = unit.bytes
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(digits)
        else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unitBytes)
        return overflow ? nil : bytes
    }

    /// The size in the largest unit that it is a whole number of: `2GiB`, `80MiB`, `33554433`.
    public static func format(_ bytes: Int) -> String {
        for (name, unitBytes) in [("GiB", gibibyte), ("MiB", mebibyte), ("KiB", kibibyte)]
        where bytes != 0 && bytes % unitBytes == 0 {
            return "\(bytes / unitBytes)\(name)"
        }
        return String(bytes)
    }
}
