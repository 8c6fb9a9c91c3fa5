// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes

/// The header words of one lane: when its writer was last alive, where it is, how far it has read others, what it was
/// working on. Nothing behind the header is looked at: the supervisor must live with lanes that a worker has broken.
final class LaneGauge {
    private let descriptor: Int32
    private let kind: LaneKind
    private var reader: LaneReader?

    init(_ lane: Lane, kind: LaneKind) {
        descriptor = lane.readable
        self.kind = kind
    }

    /// To be called when the lane's writer says that it is ready: then the lane has its form. `false`: it has not.
    @discardableResult
    func open() -> Bool {
        if reader == nil {
            reader = try? LaneReader(descriptor: descriptor, kind: kind)
        }
        return reader != nil
    }

    var isOpen: Bool { reader != nil }

    /// Monotonic nanoseconds; 0 before the first.
    var heartbeat: UInt64 { reader?.heartbeat ?? 0 }
    /// 0 when nothing has been written.
    var head: UInt64 { reader?.head ?? 0 }
    var tail: UInt64 { reader?.tail ?? 0 }
    var ringBytes: Int { reader?.ringBytes ?? 0 }
    var workingOn: (UInt64, UInt64) { reader?.workingOn ?? (0, 0) }

    func counter(_ index: Int) -> UInt64 { reader?.counter(index) ?? 0 }

    /// A counter of the header; 0 when a process of another generation writes the lane, or none.
    func counter(_ index: Int, generation: UInt64) -> UInt64 {
        guard open(), let reader, reader.generation == generation else { return 0 }
        return reader.counter(index)
    }

    /// How far the writer of this lane has read its lane number `peer`.
    func readPosition(_ peer: Int) -> UInt64? {
        reader?.peerReadPosition(peer).position
    }

    /// The lane of an ingest worker for `ctl status`; `nil`: it has no form yet. Counters are the worker's own word.
    var ingestStatus: ServiceStatus.Worker.Ingest? {
        guard let reader else { return nil }
        func count(_ counter: IngestCounter) -> Int { Int(clamping: reader.counter(counter.rawValue)) }
        let tail = reader.tail
        return .init(
            agentsOnline: count(.agentsOnline), agentsUnconnected: count(.agentsUnconnected),
            connections: count(.connectionsOpen), laneUsedBytes: Int(clamping: max(reader.head, tail) - tail),
            laneBytes: reader.ringBytes)
    }
}
