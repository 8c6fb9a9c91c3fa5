// SPDX-License-Identifier: Apache-2.0

/// How this process stands among those that take connections from the same listening socket.
public struct AcceptShare: Equatable, Sendable {
    /// It has more than its share, so that a new connection is better left to the others.
    public var isAboveShare: Bool
    /// Open connections of the others, all together: what shows that they are at work.
    public var othersConnections: Int

    /// How long a connection is left to the others while this process has more than its share.
    public var waitNanoseconds: UInt64

    public init(
        isAboveShare: Bool, othersConnections: Int,
        waitNanoseconds: UInt64 = AcceptBackoff.longestNanoseconds
    ) {
        self.isAboveShare = isAboveShare
        self.othersConnections = othersConnections
        self.waitNanoseconds = waitNanoseconds
    }

    /// Nobody else is there.
    public static let alone = AcceptShare(isAboveShare: false, othersConnections: 0)
}
