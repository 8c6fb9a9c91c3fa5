// SPDX-License-Identifier: Apache-2.0
import Lanes

/// The header words of one lane, for the hang watch: when its writer was last alive, where it is, how far it has read
/// others. Nothing behind the header is looked at: the supervisor must live with lanes that a worker has broken.
final class LaneGauge {
    private let descriptor: Int32
    private let kind: LaneKind
    private var reader: LaneReader?

    init(_ lane: LaneSet.Lane, kind: LaneKind) {
        descriptor = lane.readable
        self.kind = kind
    }

    /// To be called when the lane's writer says that it is ready: then the lane has its form. `false`: it has not.
    func open() -> Bool {
        if reader == nil {
            reader = try? LaneReader(descriptor: descriptor, kind: kind)
        }
        return reader != nil
    }

    /// Monotonic nanoseconds; 0 before the first.
    var heartbeat: UInt64 { reader?.heartbeat ?? 0 }
    /// 0 when nothing has been written.
    var head: UInt64 { reader?.head ?? 0 }

    /// How far the writer of this lane has read its lane number `peer`.
    func readPosition(_ peer: Int) -> UInt64? {
        reader?.peerReadPosition(peer).position
    }

    /// A counter of the header; 0 when a process of another generation writes the lane, or none.
    func counter(_ index: Int, generation: UInt64) -> UInt64 {
        guard open(), let reader, reader.generation == generation else { return 0 }
        return reader.counter(index)
    }
}
