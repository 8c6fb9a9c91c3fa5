// SPDX-License-Identifier: Apache-2.0
/// The header `grpc-timeout`: one to eight digits and a unit (gRPC over HTTP/2, "Timeout").
enum GRPCTimeout {
    private static let maxDigits = 8

    /// - Returns: nanoseconds (at most `Int64.max`); nil when the text is invalid.
    static func nanoseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard let unit = bytes.last, (2...(maxDigits + 1)).contains(bytes.count) else { return nil }
        var value: Int64 = 0
        for byte in bytes.dropLast() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        let scale: Int64
        switch unit {
        case UInt8(ascii: "H"): scale = 3_600_000_000_000
        case UInt8(ascii: "M"): scale = 60_000_000_000
        case UInt8(ascii: "S"): scale = 1_000_000_000
        case UInt8(ascii: "m"): scale = 1_000_000
        case UInt8(ascii: "u"): scale = 1000
        case UInt8(ascii: "n"): scale = 1
        default: return nil
        }
        let (product, isOver) = value.multipliedReportingOverflow(by: scale)
        return isOver ? .max : product
    }
}
