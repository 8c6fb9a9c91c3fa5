// SPDX-License-Identifier: Apache-2.0

/// How this process stands among those that take connections from the same listening socket.
public struct AcceptStanding: Equatable, Sendable {
    /// It has more than its share, so that a new connection is better left to the others.
    public var isAboveShare: Bool
    /// Open connections of the others, all together: what shows that they are at work.
    public var othersConnections: Int

    public init(isAboveShare: Bool, othersConnections: Int) {
        self.isAboveShare = isAboveShare
        self.othersConnections = othersConnections
    }

    /// Nobody else is there.
    public static let alone = AcceptStanding(isAboveShare: false, othersConnections: 0)
}
