// SPDX-License-Identifier: Apache-2.0
import Rings

/// Says in the ring's header whose message this worker is at, for the supervisor to read if it dies of it: the first word
/// is the identity that the event loop is at, the second the one whose message ``ParsingThread`` parses beside it. 0:
/// no agent's. Both are set by the event loop alone; some nanoseconds each.
final class InFlightMarker {
    private let ring: RingWriter
    private var onLoop: UInt64 = 0
    private var aside: UInt64 = 0

    init(ring: RingWriter) {
        self.ring = ring
        publish()
    }

    /// Does something with what an agent of this identity has sent.
    @inline(__always)
    func working<Result>(on identityHash: UInt64, _ work: () -> Result) -> Result {
        let before = onLoop
        onLoop = identityHash
        publish()
        defer {
            onLoop = before
            publish()
        }
        return work()
    }

    func setAside(_ identityHash: UInt64) {
        guard aside != identityHash else { return }
        aside = identityHash
        publish()
    }

    private func publish() { ring.setWorkingOn(onLoop, aside) }
}
