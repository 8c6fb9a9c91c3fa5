// SPDX-License-Identifier: Apache-2.0
import Rings

/// A worker that is gone for good. Its ring stays until what others have taken over of it has been read in theirs, so that
/// no agent is missing meanwhile.
struct RingDeparture {
    let index: Int
    /// The other rings, and how far they were written when the worker went.
    private let others: [(follower: RingFollower, head: UInt64)]
    private let deadlineNanoseconds: UInt64

    /// The records written until then are read in less, unless there is hardly any time for it; no ring is kept for ever.
    static let longestNanoseconds: UInt64 = 10_000_000_000

    /// - Parameter nowNanoseconds: `CLOCK_MONOTONIC`.
    init(of index: Int, _ ingestEndpoints: IngestEndpoints, nowNanoseconds: UInt64) {
        self.index = index
        others = ingestEndpoints.followers.compactMap { follower in
            guard follower.worker != index, let reader = follower.reader else { return nil }
            return (follower, reader.head)
        }
        deadlineNanoseconds = nowNanoseconds + Self.longestNanoseconds
    }

    func isOver(_ ingestEndpoints: IngestEndpoints, nowNanoseconds: UInt64) -> Bool {
        nowNanoseconds >= deadlineNanoseconds
            || others.allSatisfy { follower, head in
                // A ring that is gone itself, or has been replaced, is waited for no more.
                ingestEndpoints.follower(of: follower.worker) !== follower
                    || (follower.reader?.position ?? head) >= head
            }
    }
}
