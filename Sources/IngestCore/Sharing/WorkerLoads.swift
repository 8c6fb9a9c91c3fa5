// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

/// How many connections the ingest workers have, as each says in its ring.
struct WorkerLoads {
    let control: WorkerTableReader
    let others: OtherRings

    /// A worker that has not said for longer that it lives takes nothing: three of its ticks, and some more.
    static let silenceNanoseconds: UInt64 = 1_000_000_000

    enum Purpose {
        /// For who starts connections are left a moment: it may be there when the moment is over.
        case accepting
        /// Agents are only sent to workers that are there.
        case moving
    }

    func share(own: Int, for purpose: Purpose, nowNanoseconds now: UInt64) -> ConnectionShare {
        ConnectionShare(own: own, others: others.indices.compactMap { connections(of: $0, purpose, now) })
    }

    /// A worker that has just begun takes what waits for it in this time, also on a busy machine.
    static let beginningNanoseconds: UInt64 = 1_000_000_000

    /// Whether a worker drains, or is gone, whose successor takes its place within moments, or has just done so.
    func isSuccessorAwaited(nowNanoseconds now: UInt64) -> Bool {
        others.indices.contains {
            let worker = control.worker(.ingest, $0)
            guard worker.state == .running else { return worker.isBeingReplaced }
            return now - min(now, worker.stateSinceNanoseconds) < Self.beginningNanoseconds
        }
    }

    /// `nil` when the worker takes no part.
    private func connections(of index: Int, _ purpose: Purpose, _ now: UInt64) -> Int? {
        let worker = control.worker(.ingest, index)
        // Its agents are its successor's.
        if worker.isBeingReplaced, worker.state != .running { return purpose == .accepting ? 0 : nil }
        switch worker.state {
        case .dead, .draining, .drained: return nil
        // Its ring still has its predecessor's words.
        case .starting: return purpose == .accepting ? 0 : nil
        case .running: break
        }
        guard let reader = others.reader(index), reader.counter(IngestCounter.waitsForRoom.rawValue) == 0 else {
            return nil
        }
        let heartbeat = reader.heartbeat
        guard now - min(now, heartbeat) < Self.silenceNanoseconds else { return nil }
        // A ring is input: no worker has more connections than there are descriptors.
        return min(Int(clamping: reader.counter(IngestCounter.connectionsOpen.rawValue)), 1 << 20)
    }
}
