// SPDX-License-Identifier: Apache-2.0

/// A message of the supervisor to a worker.
public enum SupervisorMessage: Equatable, Sendable {
    /// End in order: no new work, finish what runs, be gone by the deadline (CLOCK_MONOTONIC).
    case drain(deadlineNanoseconds: UInt64)
    /// The exporter alone: a successor serves. Take no new connections, answer on each open one what still comes on it once
    /// more, finish what runs, be gone by the deadline (CLOCK_MONOTONIC).
    case retire(deadlineNanoseconds: UInt64)
    /// To an ingest worker: take no more connections, or take them again. Answered by ``WorkerMessage/accepting(_:)``.
    case accepting(Bool)
    /// End at once.
    case stop
    /// Log from this level on (`trace` … `error`).
    case logLevel(String)
    /// To an ingest worker that has said ``WorkerMessage/standby``: its predecessor is gone, the ring is its own now.
    case takeRing
    /// There is another ingest worker, or that one has a new ring: see ``RingDescriptors`` for what comes along.
    case ring(index: Int)
    /// That ingest worker is no more, and will not come back; its ring is let go of.
    case ringGone(index: Int)
    /// To an ingest worker: take over what is current in the ring of that one, which is no more; its agents are
    /// unconnected. Answered by ``WorkerMessage/adopted(index:)``. May come again for the same ring.
    case adopt(index: Int)
}

/// An order with what came along.
public struct SupervisorOrder: Sendable {
    public let message: SupervisorMessage
    /// Only with ``SupervisorMessage/ring(index:)``. The receiver of the order owns them.
    public let descriptors: [Int32]
}

/// The descriptors of ``SupervisorMessage/ring(index:)``. The receiver owns the descriptors.
public struct RingDescriptors: Equatable, Sendable {
    /// The ingest worker's ring (ro).
    public var dataRing: Int32
    /// For the exporter alone: its command ring to that worker (rw), and its end of the wakeup channel.
    public var commandRing: Int32?
    public var wakeup: Int32?

    public init(dataRing: Int32, commandRing: Int32? = nil, wakeup: Int32? = nil) {
        (self.dataRing, self.commandRing, self.wakeup) = (dataRing, commandRing, wakeup)
    }

    /// `nil` when these are not as many as a worker of this role is sent.
    public init?(_ descriptors: [Int32], for role: WorkerRole) {
        switch (role, descriptors.count) {
        case (.ingest, 1), (.recorder, 1): self.init(dataRing: descriptors[0])
        case (.exporter, 3): self.init(dataRing: descriptors[0], commandRing: descriptors[1], wakeup: descriptors[2])
        default: return nil
        }
    }

    /// In the order in which they are sent.
    public var list: [Int32] { [dataRing] + [commandRing, wakeup].compactMap { $0 } }
}

/// A message of a worker to the supervisor.
public enum WorkerMessage: Equatable, Sendable {
    /// It serves.
    case ready
    /// An ingest worker of a reload: it has checked itself, and waits for ``SupervisorMessage/takeRing``.
    case standby
    /// The current records in the ring of that worker are in this one's.
    case adopted(index: Int)
    /// From now on it takes connections, or none.
    case accepting(Bool)
    /// It is in its sandbox. `missing`: the parts that it lacks, and why, for people; empty: it lacks nothing.
    case sandboxed(missing: String)
    /// It has made a system call of this number, which its sandbox does not allow, and ends.
    case refusedCall(UInt32)
}
