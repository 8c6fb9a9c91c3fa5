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
    /// To an ingest worker that has said ``WorkerMessage/standby``: its predecessor is gone, the lane is its own now.
    case takeLane
    /// There is another ingest worker, or that one has a new lane: see ``LaneDescriptors`` for what comes along.
    case lane(index: Int)
    /// That ingest worker is no more, and will not come back; its lane is let go of.
    case laneGone(index: Int)
    /// To an ingest worker: take over what is current in the lane of that one, which is no more; its agents are
    /// unconnected. Answered by ``WorkerMessage/adopted(index:)``. May come again for the same lane.
    case adopt(index: Int)
}

/// An order with what came along.
public struct SupervisorOrder: Sendable {
    public let message: SupervisorMessage
    /// Only with ``SupervisorMessage/lane(index:)``. The receiver of the order owns them.
    public let descriptors: [Int32]
}

/// The descriptors of ``SupervisorMessage/lane(index:)``. The receiver owns the descriptors.
public struct LaneDescriptors: Equatable, Sendable {
    /// The ingest worker's lane (ro).
    public var up: Int32
    /// For the exporter alone: its command lane to that worker (rw), and its end of the wakeup channel.
    public var down: Int32?
    public var bell: Int32?

    public init(up: Int32, down: Int32? = nil, bell: Int32? = nil) {
        (self.up, self.down, self.bell) = (up, down, bell)
    }

    /// `nil` when these are not as many as a worker of this role is sent.
    public init?(_ descriptors: [Int32], for role: WorkerRole) {
        switch (role, descriptors.count) {
        case (.ingest, 1), (.recorder, 1): self.init(up: descriptors[0])
        case (.exporter, 3): self.init(up: descriptors[0], down: descriptors[1], bell: descriptors[2])
        default: return nil
        }
    }

    /// In the order in which they are sent.
    public var list: [Int32] { [up] + [down, bell].compactMap { $0 } }
}

/// A message of a worker to the supervisor.
public enum WorkerMessage: Equatable, Sendable {
    /// It serves.
    case ready
    /// An ingest worker of a reload: it has checked itself, and waits for ``SupervisorMessage/takeLane``.
    case standby
    /// The current records in the lane of that worker are in this one's.
    case adopted(index: Int)
    /// From now on it takes connections, or none.
    case accepting(Bool)
    /// It is in its sandbox. `missing`: the parts that it lacks, and why, for people; empty: it lacks nothing.
    case sandboxed(missing: String)
    /// It has made a system call of this number, which its sandbox does not allow, and ends.
    case refusedCall(UInt32)
}
