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
        // Not `contains`: with a text that is Foundation's, which comes in through swift-protobuf, and would be linked in whole.
        return parts.contains { bare.utf8.firstRange(of: $0.utf8) != nil }
    }
}
