// SPDX-License-Identifier: Apache-2.0
import Rings

/// Notices the ends of this service's own workers that nobody asked for, out of the table that the supervisor writes.
struct WorkerEnds {
    struct End: Equatable {
        var name: String
        var cause: String
    }

    private struct Row: Hashable {
        var role: WorkerTableRole
        var index: Int
    }

    /// Causes that are a fault, and not somebody's wish.
    private static let faults: [WorkerTableEntry.Cause] = [.exit, .signal, .fault, .hung, .notReady]

    private var counts: [Row: UInt64] = [:]

    init() {}

    /// Takes the present restart counts as the baseline, so that earlier restarts are not reported.
    init(control: WorkerTableReader?, workers: [Int]) {
        guard let control else { return }
        _ = update(control)
    }

    private static func rows() -> [Row] {
        (0..<WorkerTableReader.maximumCount(.exporter)).map { Row(role: .exporter, index: $0) }
            + (0..<WorkerTableReader.maximumCount(.ingest)).map { Row(role: .ingest, index: $0) }
    }

    /// Workers that were started again after a fault since the last look.
    mutating func update(_ control: WorkerTableReader) -> [End] {
        var ends: [End] = []
        for row in Self.rows() {
            let worker = control.worker(row.role, row.index)
            let count = Self.faults.reduce(0) { $0 &+ worker.restarts(after: $1) }
            if let before = counts[row], count > before {
                ends.append(End(name: Self.name(row), cause: Self.cause(worker)))
            }
            counts[row] = count
        }
        return ends
    }

    /// Whether an ingest worker has ended by a fault within a time.
    /// - Parameter now: `CLOCK_MONOTONIC`.
    func hasCrashed(_ index: Int, within nanoseconds: UInt64, _ control: WorkerTableReader, now: UInt64) -> Bool {
        guard (0..<WorkerTableReader.maximumCount(.ingest)).contains(index) else { return false }
        let worker = control.worker(.ingest, index)
        guard Self.faults.contains(worker.cause) else { return false }
        let since = worker.state == .running ? worker.startedAtMonotonicNanoseconds : worker.stateSinceNanoseconds
        return now - min(now, since) <= nanoseconds
    }

    private static func name(_ row: Row) -> String {
        row.role == .exporter ? "exporter" : "ingest-\(row.index)"
    }

    private static func cause(_ worker: WorkerTableEntry) -> String {
        switch worker.cause {
        case .exit: "exit code \(worker.causeDetail)"
        case .signal, .fault: "signal \(worker.causeDetail)"
        default: worker.cause.name
        }
    }
}
