// SPDX-License-Identifier: Apache-2.0

/// Registrations that wait until it is known whether an older connection of their identity at this worker is alive. They
/// are few: each waits for an agent that is online here.
struct WaitingRegistrations {
    /// Of one identity. A pod's containers and their restarts may come together; more at a time could only be abuse.
    static let limitPerIdentity = 8

    private var lines: [UInt64: [PendingRegistration]] = [:]

    init() {}

    var count: Int { lines.values.reduce(0) { $0 + $1.count } }
    var all: some Sequence<PendingRegistration> { lines.values.lazy.joined() }

    /// - Returns: false when as many wait already as may.
    mutating func append(_ registration: PendingRegistration) -> Bool {
        guard lines[registration.hash]?.count ?? 0 < Self.limitPerIdentity else { return false }
        lines[registration.hash, default: []].append(registration)
        return true
    }

    /// All of that identity, in the order in which they came. They wait no more.
    mutating func take(_ identityHash: UInt64) -> [PendingRegistration] {
        lines.removeValue(forKey: identityHash) ?? []
    }

    mutating func remove(_ call: RegistrationCall, of identityHash: UInt64) {
        guard var line = lines[identityHash] else { return }
        line.removeAll { $0.call === call }
        lines[identityHash] = line.isEmpty ? nil : line
    }

    mutating func removeAll() -> [PendingRegistration] {
        defer { lines = [:] }
        return Array(all)
    }
}
