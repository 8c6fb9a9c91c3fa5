// SPDX-License-Identifier: Apache-2.0
import Credentials

/// Passwords that were right, so that bcrypt runs once for a client and not for each of its scrapes. It holds hashes with a key of
/// this process; a password in it cannot be told from them.
struct VerifiedPasswords {
    /// Clients have few passwords; a user whose hash is changed leaves one behind.
    static let limitEntries = 256

    typealias Key = [UInt8]

    private let secret: [UInt8]
    private var entries: Set<Key> = []
    private var order: [Key] = []

    init() {
        var generator = SystemRandomNumberGenerator()
        secret = (0..<SHA256.digestBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Of a password and the hash that it is checked against: with another hash it is another key.
    func key(hash: PasswordHash, password: [UInt8]) -> Key {
        // The hash has a fixed length, so no two pairs are the same bytes.
        SHA256.hash(secret + Array(hash.text.utf8) + password)
    }

    func contains(_ key: Key) -> Bool { entries.contains(key) }

    mutating func insert(_ key: Key) {
        guard entries.insert(key).inserted else { return }
        order.append(key)
        if order.count > Self.limitEntries { entries.remove(order.removeFirst()) }
    }
}
