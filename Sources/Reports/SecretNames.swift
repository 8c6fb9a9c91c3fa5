// SPDX-License-Identifier: Apache-2.0

/// Which configuration keys name a secret.
enum SecretNames {
    /// What is shown instead of a secret's value.
    static let mask = "***"

    /// Without case and separators: `private_key`, `Private-Key` and `privateKey` are one.
    private static let parts = ["password", "passwd", "secret", "token", "credential", "privatekey", "apikey"]
    private static let separators: Set<Character> = ["_", "-", " ", "."]

    static func isSecret(_ key: String) -> Bool {
        let bare = key.lowercased().filter { !separators.contains($0) }
        return parts.contains { bare.contains($0) }
    }
}
