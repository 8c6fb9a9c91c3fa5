// SPDX-License-Identifier: Apache-2.0

/// The credentials in an `Authorization` field (RFC 7617, RFC 6750).
public enum RequestCredentials: Equatable, Sendable {
    case password(user: String, password: [UInt8])
    case token(String)
    /// Another scheme, or one of these two that is not well formed.
    case malformed

    /// - Parameter field: the field's value.
    public init(_ field: String) {
        let parts = field.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1)
        guard parts.count == 2 else {
            self = .malformed
            return
        }
        var value = parts[1]
        while value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        while value.last == UInt8(ascii: " ") { value = value.dropLast() }
        switch String(Substring(parts[0])).lowercased() {
        case "bearer":
            let isToken = !value.isEmpty && value.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            self = isToken ? .token(String(Substring(value))) : .malformed
        case "basic":
            guard let bytes = Base64.decode(Array(value)), let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
                let user = String(validating: bytes[..<colon], as: UTF8.self)
            else {
                self = .malformed
                return
            }
            self = .password(user: user, password: Array(bytes[(colon + 1)...]))
        default:
            self = .malformed
        }
    }
}

/// RFC 4648 section 4, with or without padding.
enum Base64 {
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        var digits = text[...]
        while digits.last == UInt8(ascii: "="), text.count - digits.count < 2 { digits = digits.dropLast() }
        guard digits.count % 4 != 1, digits.count == text.count || text.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var bitCount = 0
        for byte in digits {
            guard let value = value(byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        return bytes
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
