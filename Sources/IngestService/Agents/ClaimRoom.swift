// SPDX-License-Identifier: Apache-2.0

/// Whether one more registration may be under way. Each has a slot of the lane's table while it waits, and a client can open
/// any number of them.
enum ClaimRoom {
    case free
    /// So many of its identity wait already that one more could only be abuse.
    case identityIsFull
    /// More wait than there may be agents, twice over.
    case full

    /// A pod's containers and their restarts may come together, twins among them.
    static let perIdentity = 8
    static let perAgent = 2

    init(ofIdentity: Int, all: Int, maxAgents: Int) {
        if ofIdentity >= Self.perIdentity {
            self = .identityIsFull
        } else {
            self = all / Self.perAgent >= maxAgents ? .full : .free
        }
    }
}
