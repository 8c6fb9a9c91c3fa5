// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings
import WorkerLink

/// `control`: what everybody may know of every worker. Each change is there before what follows from it is done.
///
/// An exporter's row is that of its generation's parity.
final class WorkerTable {
    /// The entry of a process, as long as no newer process has it.
    struct Entry {
        let worker: WorkerName
        let generation: UInt64
        let deathsInRow: Int

        fileprivate var role: WorkerTableRole {
            switch worker.role {
            case .ingest: .ingest
            case .exporter: .exporter
            case .recorder: .recorder
            }
        }
        fileprivate var parity: Int { WorkerStarter.parity(generation) }
        fileprivate var index: Int { worker.role == .exporter ? parity : worker.index }
    }

    let name: StoredDescriptorName
    /// To be kept for a successor.
    let writable: Int32
    /// For the workers.
    let readable: Int32
    private let writer: WorkerTableWriter

    /// A new one.
    convenience init(generation: UInt64 = 1) throws(StartError) {
        do {
            try self.init(StoredDescriptorName(.control, 0, generation: generation), writable: WorkerTableFile.create())
            set(.serviceStartedAtNanoseconds, MonotonicClock.nowNanoseconds())
        } catch {
            throw StartError("cannot create the worker table (\(error)); give the service more memory")
        }
    }

    /// One that was there before, its content checked: goes on with what it says.
    init(_ name: StoredDescriptorName, writable: Int32) throws {
        self.name = name
        self.writable = writable
        readable = try MemoryFile.reopenReadOnly(writable)
        writer = try WorkerTableWriter(descriptor: writable)
    }

    func set(_ counter: SupervisorCounter, _ value: UInt64) { writer.setCounter(counter.rawValue, value) }
    func add(_ counter: SupervisorCounter) { writer.addCounter(counter.rawValue, 1) }
    func setUsage(_ usage: ProcessUsage) {
        for (index, word) in usage.words.enumerated() {
            writer.setCounter(SupervisorCounter.firstProcessWord + index, word)
        }
    }
    func value(_ counter: SupervisorCounter) -> UInt64 { writer.counter(counter.rawValue) }
    func setDegradedReason(_ reason: String) { writer.setDegradedReason(reason) }
    func quarantine(identityHash: UInt64, untilNanoseconds: UInt64) {
        writer.quarantine(identityHash: identityHash, untilNanoseconds: untilNanoseconds)
    }

    func row(_ worker: WorkerName, generation: UInt64) -> WorkerTableEntry {
        row(Entry(worker: worker, generation: generation, deathsInRow: 0))
    }

    private func row(_ entry: Entry) -> WorkerTableEntry { writer.worker(entry.role, entry.index) }

    /// The generation of the last process of that role and index; 0: there was none.
    func lastGeneration(_ worker: WorkerName) -> UInt64 {
        switch worker.role {
        case .ingest: writer.worker(.ingest, worker.index).generation
        case .recorder: writer.worker(.recorder, worker.index).generation
        case .exporter: max(writer.worker(.exporter, 0).generation, writer.worker(.exporter, 1).generation)
        }
    }

    /// Marks all entries that a dead supervisor has left as dead.
    func markAllEnded() {
        for index in 0..<WorkerTableReader.maximumCount(.ingest) { markEnded(.ingest, index) }
        for index in 0..<WorkerTableReader.maximumCount(.exporter) { markEnded(.exporter, index) }
        for index in 0..<WorkerTableReader.maximumCount(.recorder) { markEnded(.recorder, index) }
    }

    private func markEnded(_ role: WorkerTableRole, _ index: Int) {
        var row = writer.worker(role, index)
        guard row.state != .dead else { return }
        row.state = .dead
        row.diedAtNanoseconds = WallClock.nowNanoseconds()
        row.stateSinceNanoseconds = MonotonicClock.nowNanoseconds()
        writer.set(row, role, index)
    }

    /// A process of this generation is about to be started.
    ///
    /// - Parameter death: of its predecessor, if it takes the place of one.
    func starting(_ entry: Entry, after death: DeathCause?) {
        change(entry, isStarting: true) { row in
            if entry.worker.role == .exporter, let before = predecessorsRow(of: entry) { row = before }
            if let death {
                (row.cause, row.causeDetail) = Self.cause(death)
                row.addRestart(after: row.cause)
            }
            row.generation = entry.generation
            row.processID = 0
            row.state = .starting
            row.startedAtNanoseconds = WallClock.nowNanoseconds()
            row.startedAtMonotonicNanoseconds = MonotonicClock.nowNanoseconds()
        }
    }

    /// The process is there.
    func started(_ entry: Entry, pid: Int32) {
        change(entry) { $0.processID = pid }
    }

    func ready(_ entry: Entry) {
        change(entry) { row in
            row.state = .running
            row.isBeingReplaced = false
        }
    }

    /// - Parameter isReplaced: a successor stands by, and takes its agents within moments.
    func draining(_ entry: Entry, isReplaced: Bool = false) {
        change(entry) { row in
            if row.state == .running { row.state = .draining }
            row.isBeingReplaced = isReplaced
        }
    }

    /// No successor is awaited any more.
    func replacementEnded(_ entry: Entry) {
        guard row(entry).isBeingReplaced else { return }
        change(entry) { $0.isBeingReplaced = false }
    }

    /// It has no process, and none is to be.
    func drained(_ entry: Entry) {
        change(entry) { $0.state = .drained }
    }

    func died(_ entry: Entry, _ cause: DeathCause, isDrained: Bool) {
        change(entry) { row in
            row.state = isDrained ? .drained : .dead
            (row.cause, row.causeDetail) = Self.cause(cause)
            row.diedAtNanoseconds = WallClock.nowNanoseconds()
        }
    }

    /// A row tells of the process that it was given to last: what happens to others is not its business.
    private func change(
        _ entry: Entry, isStarting: Bool = false, _ body: (inout WorkerTableEntry) -> Void
    ) {
        var row = row(entry)
        guard isStarting || row.generation == entry.generation else { return }
        let state = row.state
        body(&row)
        row.deathsInRow = UInt32(clamping: entry.deathsInRow)
        if row.state != state { row.stateSinceNanoseconds = MonotonicClock.nowNanoseconds() }
        writer.set(row, entry.role, entry.index)
    }

    /// Deaths that are forgotten after a healthy life are no more in the row.
    func refreshDeaths(_ entry: Entry) {
        guard row(entry).deathsInRow != entry.deathsInRow else { return }
        change(entry) { _ in }
    }

    /// Values about exporters are copied from entry to entry.
    private func predecessorsRow(of exporter: Entry) -> WorkerTableEntry? {
        let other = writer.worker(.exporter, (exporter.parity + 1) % RingSet.parities)
        let same = writer.worker(.exporter, exporter.parity)
        return other.generation > same.generation ? other : same
    }

    /// The cause and its detail: an exit code or a signal.
    private static func cause(_ cause: DeathCause) -> (cause: WorkerTableEntry.Cause, detail: Int32) {
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
