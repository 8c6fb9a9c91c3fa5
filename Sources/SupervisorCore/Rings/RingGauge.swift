// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

/// The header words of one ring: when its writer was last alive, where it is, how far it has read others, what it was
/// working on. Nothing behind the header is looked at: the supervisor must live with rings that a worker has broken.
final class RingGauge {
    private let descriptor: Int32
    private let kind: RingKind
    private var reader: RingReader?

    init(_ ring: Ring, kind: RingKind) {
        descriptor = ring.readable
        self.kind = kind
    }

    /// To be called when the ring's writer says that it is ready: then the ring has its form. `false`: it has not.
    @discardableResult
    func open() -> Bool {
        if reader == nil {
            reader = try? RingReader(descriptor: descriptor, kind: kind)
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

    /// A counter of the header; 0 when a process of another generation writes the ring, or none.
    func counter(_ index: Int, generation: UInt64) -> UInt64 {
        guard open(), let reader, reader.generation == generation else { return 0 }
        return reader.counter(index)
    }

    /// How far the writer of this ring has read its ring number `peer`.
    func readPosition(_ peer: Int) -> UInt64? {
        reader?.peerReadPosition(peer).position
    }

    /// The ring of an ingest worker for `ctl status`; `nil`: it has no form yet. Counters are the worker's own word.
    var ingestStatus: ServiceStatus.Worker.Ingest? {
        guard let reader else { return nil }
        func count(_ counter: IngestCounter) -> Int { Int(clamping: reader.counter(counter.rawValue)) }
        let tail = reader.tail
        return .init(
            agentsOnline: count(.agentsOnline), agentsUnconnected: count(.agentsUnconnected),
            connections: count(.connectionsOpen), ringUsedBytes: Int(clamping: max(reader.head, tail) - tail),
            ringBytes: reader.ringBytes)
    }
}
