// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Platform
import Rings

/// The attributes that two registrations of one agent share: the pod and its containers (wire contract, "Identity").
public struct AgentIdentity: Hashable, Sendable {
    public let podName: String
    public let containerNames: [String]

    public init(podName: String, containerNames: [String]) {
        self.podName = podName
        self.containerNames = containerNames
    }

    /// By the bytes, like the id.
    public static func == (one: AgentIdentity, other: AgentIdentity) -> Bool {
        ExactText.areEqual(one.podName, other.podName) && one.containerNames.count == other.containerNames.count
            && zip(one.containerNames, other.containerNames).allSatisfy(ExactText.areEqual)
    }

    public func hash(into hasher: inout Hasher) {
        ExactText.hash(podName, into: &hasher)
        for name in containerNames { ExactText.hash(name, into: &hasher) }
    }

    private var canonicalBytes: [UInt8] {
        // Without a version: the ids of agents follow from it, for as long as the installation lives.
        var writer = BinaryWriter()
        writer.append(podName)
        writer.append(containerNames)
        return writer.bytes
    }

    /// The id that this identity has in this installation, whichever worker it comes to and after every restart: a
    /// UUID of version 8 (RFC 9562, section 5.8: custom) out of a keyed hash, so that nobody without the secret can
    /// guess the id of somebody else's agent.
    public func agentID(secret: InstallationSecret) -> AgentID {
        let (high, low) = SipHash.hash128(canonicalBytes, key: secret.identityKey)
        return AgentID(
            high: high & 0xffff_ffff_ffff_0fff | 0x8000,
            low: low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
    }

    /// Names the identity in slots and in the note of what a worker is working on; never zero, which means nobody.
    public func hash(secret: InstallationSecret) -> UInt64 {
        max(1, SipHash.hash128(canonicalBytes, key: secret.hashKey).high)
    }
}

/// 32 random bytes that the supervisor keeps for the installation.
public struct InstallationSecret: Sendable {
    public static let byteCount = 32

    /// Names a network address in the slots of agents, the same for all workers; never zero, which means unknown.
    public func sourceHash(of address: String) -> UInt64 {
        max(1, SipHash.hash128(Array(address.utf8), key: hashKey).low)
    }

    /// Names the identity of a certificate in the slots of agents, the same for all workers; never zero, which means none.
    /// - Parameter names: of the certificate, in any order, each with its kind.
    public func peerHash(ofNames names: [String]) -> UInt64 {
        var writer = BinaryWriter()
        writer.append(names.sorted())
        return max(1, SipHash.hash128(writer.bytes, key: hashKey).high)
    }

    let identityKey: (UInt64, UInt64)
    let hashKey: (UInt64, UInt64)

    /// `nil` unless there are exactly ``byteCount`` bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        var reader = BinaryReader(bytes.span.bytes)
        do {
            identityKey = (try reader.integer(), try reader.integer())
            hashKey = (try reader.integer(), try reader.integer())
        } catch {
            return nil
        }
    }
}
