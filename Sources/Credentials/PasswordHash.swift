// SPDX-License-Identifier: Apache-2.0
import CCrypt

/// A bcrypt hash as `htpasswd -B` prints it: `$2y$10$…`. Checked by libxcrypt; the one place that touches it.
public struct PasswordHash: Equatable, Sendable {
    /// bcrypt's own.
    private static let leastCost = 4
    /// Each step doubles the time: 15 takes some 3 s of a core, for the first request of each client.
    public static let largestCost = 15

    public let text: String
    /// A check takes 2^cost rounds.
    public let cost: Int

    /// Why a text is not taken, for people.
    public struct Flaw: Error, Equatable, Sendable {
        public let reason: String
    }

    public init(_ text: String) throws(Flaw) {
        let bytes = Array(text.utf8)
        let alphabet: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        guard bytes.count == 60, ["$2a$", "$2b$", "$2y$"].contains(String(text.prefix(4))),
            bytes[6] == UInt8(ascii: "$"),
            bytes[4..<6].allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
            let cost = Int(String(decoding: bytes[4..<6], as: UTF8.self)), bytes[7...].allSatisfy(alphabet)
        else {
            throw Flaw(reason: "must be a bcrypt hash ($2y$…), as htpasswd -nBC 10 NAME prints it")
        }
        guard (Self.leastCost...Self.largestCost).contains(cost) else {
            throw Flaw(
                reason: "has the cost \(cost); from \(Self.leastCost) to \(Self.largestCost) are taken, "
                    + "since a check must not take more than seconds")
        }
        self.text = text
        self.cost = cost
    }

    /// Takes 2^``cost`` rounds: not for an event loop.
    public func matches(_ password: [UInt8]) -> Bool {
        // The library takes C strings: a NUL would end the password, and it has no room for longer ones.
        guard !password.contains(0), password.count < Int(CRYPT_MAX_PASSPHRASE_SIZE) else { return false }
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        data.initialize(to: crypt_data())
        defer {
            // It has held the password.
            data.update(repeating: crypt_data(), count: 1)
            data.deallocate()
        }
        let phrase = password.map { CChar(bitPattern: $0) } + [0]
        guard let result = crypt_r(phrase, text, data) else { return false }
        return isEqualInConstantTime(Array(String(cString: result).utf8), Array(text.utf8))
    }
}
