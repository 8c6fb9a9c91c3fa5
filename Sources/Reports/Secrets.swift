// SPDX-License-Identifier: Apache-2.0

/// The part of a configuration that is not shown: values whose key names a secret, and values that look like one, whatever their key
/// is called. It errs on the side of showing less.
enum Secrets {
    /// The text in place of such a value.
    static let mask = "***"

    static func shown(_ value: String, key: String) -> String {
        isNameOfSecret(key.utf8) || SecretValue.hasSecretShape(value) ? mask : value
    }

    // MARK: Keys

    /// Without case and separators: `private_key`, `Private-Key` and `privateKey` are one.
    private static let parts: [[UInt8]] = [
        "password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential", "private", "auth",
        "bearer",
        "cookie", "dsn", "connectionstring", "connstr", "jwt", "hmac", "apikey", "accesskey", "accountkey",
        "sessionkey",
        "sessionid", "signingkey", "encryptionkey", "masterkey", "sharedkey", "sshkey",
    ].map { Array($0.utf8) }

    private static let partsByFirstByte = Dictionary(grouping: parts) { $0[0] }

    /// Those that are a part of other words: only where they stand alone, between separators or capitals.
    private static let words: [[UInt8]] = ["pass", "sig", "otp", "sas"].map { Array($0.utf8) }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: " "), UInt8(ascii: "."), UInt8(ascii: "/"),
            UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "\""), UInt8(ascii: "'"):
            true
        default: false
        }
    }

    static func isNameOfSecret(_ key: some Collection<UInt8>) -> Bool {
        var bare: [UInt8] = []
        var word: [UInt8] = []
        var wasLower = false
        for byte in key {
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            if isSeparator(byte) || isUpper && wasLower {
                if words.contains(word) { return true }
                word.removeAll(keepingCapacity: true)
            }
            wasLower = !isUpper
            guard !isSeparator(byte) else { continue }
            let lower = isUpper ? byte | 0x20 : byte
            bare.append(lower)
            word.append(lower)
        }
        if words.contains(word) { return true }
        return bare.indices.contains { index in
            partsByFirstByte[bare[index]]?.contains { bare[index...].starts(with: $0) } ?? false
        }
    }
}
