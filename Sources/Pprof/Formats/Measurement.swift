// SPDX-License-Identifier: Apache-2.0

/// Values as people read them.
enum Measurement {
    private static let bytes: [(Int64, String)] = [
        (1 << 50, "PB"), (1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"), (1, "B"),
    ]
    private static let nanoseconds: [(Int64, String)] = [
        (3_600_000_000_000, "hrs"), (60_000_000_000, "mins"), (1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us"),
        (1, "ns"),
    ]

    /// As pprof writes it: `1.50MB`, `12ms`, `7`. Two digits behind the point, none for a whole number.
    static func text(_ value: Int64, unit: String) -> String {
        let scales: [(Int64, String)]
        switch unit {
        case "bytes": scales = bytes
        case "nanoseconds": scales = nanoseconds
        default: scales = []
        }
        let size = value.magnitude
        guard size > 0, let scale = scales.first(where: { size >= $0.0.magnitude }) else { return "\(value)" }
        return (value < 0 ? "-" : "") + fixed(size, by: scale.0.magnitude) + scale.1
    }

    /// A part of a whole: `12.34%`; `0.00%` of nothing.
    static func percent(_ value: Int64, of total: Int64) -> String {
        guard total != 0 else { return "0.00%" }
        let hundredths = (Double(value.magnitude) / Double(total.magnitude) * 10_000).rounded()
        // A sum that was clamped may be any number of times its whole.
        guard hundredths < 1e12 else { return "over 999%" }
        return "\(decimals(UInt64(hundredths)))%"
    }

    private static func fixed(_ value: UInt64, by scale: UInt64) -> String {
        let hundredths = UInt64((Double(value) / Double(scale) * 100).rounded())
        return hundredths % 100 == 0 ? "\(hundredths / 100)" : decimals(hundredths)
    }

    private static func decimals(_ hundredths: UInt64) -> String {
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
