// SPDX-License-Identifier: Apache-2.0

/// A worker's connections beside those of the others that take part: that run, and are not hung, draining or held back
/// by a full ring.
struct ConnectionShare: Equatable {
    var own: Int
    /// Of each other worker that takes part.
    var others: [Int]

    /// How far above its share a worker goes on taking connections as they come: one, or this part of the share. Less
    /// would make the workers wait for each other in every burst.
    static let tolerancePerCent = 2
    /// A worker sends agents away when it is above its share by more than this many, and by more than this part of it…
    static let farAbove = 2
    static let farAbovePerCent = 10

    var othersTotal: Int { others.reduce(0, +) }

    /// Rounded up, so that somebody can always take the next.
    var share: Int {
        let workers = others.count + 1
        return (own + othersTotal + workers - 1) / workers
    }

    /// New connections are better left to the others.
    var isAbove: Bool { own > share + max(1, share * Self.tolerancePerCent / 100) }

    /// …which is much more, so that agents are not sent to and fro.
    var isFarAbove: Bool { own > share + max(Self.farAbove, share * Self.farAbovePerCent / 100) }
}
