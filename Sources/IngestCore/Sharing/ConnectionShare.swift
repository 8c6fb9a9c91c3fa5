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
    /// A worker sends agents away when it has more than 2 above a share of one or two connections, more than 5 above one
    /// of nine, and more than a tenth above a large one. A burst alone brings a worker 3 above its share (one that it may
    /// have, and what it takes in one turn), on a busy machine 5: moving agents for that would move them twice at every
    /// reload.
    static let leastFarAbove = 2
    static let farAboveOfMiddleShare = 5
    static let shareForOneMore = 3
    static let farAbovePerCent = 10

    var othersTotal: Int { others.reduce(0, +) }

    /// Rounded up, so that somebody can always take the next.
    var share: Int {
        let workers = others.count + 1
        return (own + othersTotal + workers - 1) / workers
    }

    /// New connections are better left to the others.
    var isAbove: Bool { own > share + max(1, share * Self.tolerancePerCent / 100) }

    /// It has so much more that it sends agents to the others.
    var isFarAbove: Bool { own > share + Self.farAbove(share) }

    static func farAbove(_ share: Int) -> Int {
        max(min(farAboveOfMiddleShare, leastFarAbove + share / shareForOneMore), share * farAbovePerCent / 100)
    }
}
