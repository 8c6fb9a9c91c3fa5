// SPDX-License-Identifier: Apache-2.0

/// A bearer token. It is random, so that one round of SHA-256 keeps it as safe as bcrypt keeps a password.
public enum AccessToken {
    /// By which people and scanners for leaked secrets know one.
    public static let prefix = "fodc_"
    private static let randomBytes = 32

    /// A new one, out of the kernel's random numbers.
    public static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<randomBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return prefix + hexText(bytes)
    }

    public static let limitNameBytes = 64
    /// The rule for token names, as error messages state it.
    public static let nameRule = "1 to \(limitNameBytes) letters, digits, dots, dashes and underscores"

    /// Whether a token may have this name, by which logs call it.
    public static func isName(_ text: String) -> Bool {
        (1...limitNameBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// The SHA-256 digest of a token. Only this digest is stored.
    public static func hash(_ token: String) -> [UInt8] { SHA256.hash(Array(token.utf8)) }

    /// As hexadecimal digits.
    public static func hexText(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The bytes that hexadecimal digits stand for; nil for anything else.
    public static func bytes(hexText: String) -> [UInt8]? {
        let digits = hexText.utf8.map { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
            default: nil
            }
        }
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[start], let low = digits[start + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
