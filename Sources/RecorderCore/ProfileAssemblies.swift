// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Platform
import RingMessages

/// Profiles that come in chunks through a ring, until they are whole. Pure.
struct ProfileAssemblies {
    /// Generation and number are those of the exporter's command.
    struct Key: Hashable {
        var worker: Int
        var generation: UInt64
        var number: UInt64
    }

    struct Profile: Equatable {
        var node: Int64
        var profileID: String
        var type: String
        var bytes: [UInt8] = []
    }

    /// Of all profiles that come at a time; the recorder's memory is small.
    static let limitBytes = BlackBoxStore.maximumProfileBytes
    /// The exporter fetches one at a time, and people download others meanwhile.
    static let limitCount = 8

    private var profiles: [Key: Profile] = [:]
    private var byteCount = 0
    /// In the order in which they were begun.
    private var order: [Key] = []

    mutating func begin(_ key: Key, node: Int64, profileID: String, type: String) {
        drop(key)
        if order.count >= Self.limitCount, let oldest = order.first { drop(oldest) }
        profiles[key] = Profile(node: node, profileID: profileID, type: type)
        order.append(key)
    }

    /// A chunk that does not follow the one before ends the profile: a part of it was lost. So does one for which there is
    /// no room.
    /// - Parameter offset: of the chunk in the profile.
    mutating func add(_ chunk: RawSpan, at offset: UInt64, to key: Key) {
        // No copy of the profile may live while it grows.
        guard let received = profiles[key]?.bytes.count else { return }
        guard offset == received, byteCount + chunk.byteCount <= Self.limitBytes else { return drop(key) }
        byteCount += chunk.byteCount
        profiles[key]?.bytes.append(copying: chunk)
    }

    /// - Parameter byteCount: of the whole profile, as its worker says.
    /// - Returns: the profile, if all of it has come.
    mutating func end(_ key: Key, _ ending: FetchEnding, byteCount: UInt64) -> Profile? {
        let profile = profiles[key]
        drop(key)
        guard let profile, ending.cause == .complete, byteCount == profile.bytes.count, byteCount > 0 else {
            return nil
        }
        return profile
    }

    private mutating func drop(_ key: Key) {
        guard let profile = profiles.removeValue(forKey: key) else { return }
        byteCount -= profile.bytes.count
        order.removeAll { $0 == key }
    }
}
