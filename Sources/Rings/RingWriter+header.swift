// SPDX-License-Identifier: Apache-2.0
import CPlatform

extension RingWriter {
    /// The number of counters in the header. They survive a take-over.
    public static var counterCount: Int { RingLayout.Header.counterWords }
    /// How many rings a process may read and say so in its own.
    public static var peerCount: Int { RingLayout.Header.peerCount }

    /// The process's own heartbeat.
    public func beat(_ monotonicNanoseconds: UInt64) {
        words.storeRelease(RingLayout.Header.heartbeat, monotonicNanoseconds)
    }

    /// The in-flight marker, for the supervisor when this process is dead: two words of its own meaning, 0 and 0 for nothing.
    public func setWorkingOn(_ first: UInt64, _ second: UInt64) {
        RingLayout.Header.workingOn.write([first, second], to: words)
    }

    /// How far this process has read the ring `peer`. In a data ring, peers 0 and 1 are the command rings A and B; in a down
    /// ring, peer 0 is the data ring. `generation` is that of the exporter, which is on one side of each of these.
    public func setReadPosition(_ peer: Int, generation: UInt64, position: UInt64) {
        precondition((0..<Self.peerCount).contains(peer), "there is no such peer")
        signature.peerPositions[peer] = [generation, position]
        RingLayout.Header.peerPosition(peer).write([generation, position], to: words)
    }

    /// Says that this process is about to wait for a wakeup, or no longer waits. A process that says that it sleeps looks at the
    /// heads of the rings that it reads *afterwards*: either it sees the record there, or the record's writer sees the
    /// flag (``RingReader/isWriterSleeping``), for both have a sequentially consistent fence between store and load.
    public func setSleeping(_ isSleeping: Bool) {
        words.storeRelease(RingLayout.Header.sleeping, isSleeping ? 1 : 0)
        fodc_fence_sequential()
    }

    public func addCounter(_ index: Int, _ amount: UInt64) {
        setCounter(index, counter(index) &+ amount)
    }

    public func setCounter(_ index: Int, _ value: UInt64) {
        words.storeRelaxed(Self.counterOffset(index), value)
    }

    public func counter(_ index: Int) -> UInt64 {
        words.loadRelaxed(Self.counterOffset(index))
    }

    private static func counterOffset(_ index: Int) -> Int {
        precondition((0..<counterCount).contains(index), "there is no such counter")
        return RingLayout.Header.counters + index * RingLayout.wordBytes
    }
}
