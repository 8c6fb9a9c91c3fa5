// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform
import WorkerLink

/// `control`: what everybody may know of every worker. Each change is there before what follows from it is done.
///
/// An exporter's row is that of its generation's parity.
final class ControlBoard {
    /// Read-only, for the workers.
    let readable: Int32
    private let writer: ControlWriter

    init() throws(StartError) {
        do {
            let writable = try ControlFile.create()
            readable = try MemoryFile.reopenReadOnly(writable)
            writer = try ControlWriter(descriptor: writable)
            MemoryFile.close(writable)
            writer.setCounter(
                ControlCounter.serviceStartedAtNanoseconds.rawValue, MonotonicClock.nowNanoseconds())
        } catch {
            throw StartError("the table of workers cannot be made (\(error)); give the service more memory")
        }
    }

    /// A process of this generation is about to be started.
    func starting(_ worker: SupervisedWorker) {
        change(worker) { row in
            if worker.role == .exporter, let before = predecessorsRow(of: worker) { row = before }
            if let predecessor = worker.life.lastDeath { row.addRestart(after: Self.cause(predecessor.cause).cause) }
            row.generation = worker.generation
            row.processID = 0
            row.state = .starting
            row.startedAtNanoseconds = WallClock.nowNanoseconds()
            row.startedAtMonotonicNanoseconds = MonotonicClock.nowNanoseconds()
        }
    }

    /// The process is there.
    func started(_ worker: SupervisedWorker) {
        change(worker) { $0.processID = worker.pid }
    }

    func ready(_ worker: SupervisedWorker) {
        change(worker) { $0.state = .running }
    }

    func died(_ worker: SupervisedWorker, _ cause: DeathCause) {
        change(worker) { row in
            row.state = .dead
            (row.cause, row.causeDetail) = Self.cause(cause)
            row.diedAtNanoseconds = WallClock.nowNanoseconds()
        }
    }

    private func change(_ worker: SupervisedWorker, _ body: (inout ControlWorker) -> Void) {
        let role: ControlRole = worker.role == .ingest ? .ingest : .exporter
        let index = worker.role == .ingest ? worker.index : worker.parity
        var row = writer.worker(role, index)
        let state = row.state
        body(&row)
        if row.state != state { row.stateSinceNanoseconds = MonotonicClock.nowNanoseconds() }
        writer.set(row, role, index)
    }

    /// What is known of exporters goes along from row to row.
    private func predecessorsRow(of exporter: SupervisedWorker) -> ControlWorker? {
        let row = writer.worker(.exporter, (exporter.parity + 1) % LaneSet.parities)
        return row.generation + 1 == exporter.generation ? row : nil
    }

    /// The cause and its detail: an exit code or a signal.
    private static func cause(_ cause: DeathCause) -> (cause: ControlWorker.Cause, detail: Int32) {
        switch cause {
        case .exited(let code): (.exit, code)
        case .killed(let signal): (.signal, signal)
        case .fault(let signal, _): (.fault, signal)
        case .hung: (.hung, 0)
        case .notReady: (.notReady, 0)
        case .requested: (.requested, 0)
        }
    }
}
