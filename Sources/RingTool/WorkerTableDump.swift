// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings

/// Shows what the supervisor says of its workers.
struct WorkerTableDump {
    let reader: WorkerTableReader

    func print(to printer: DumpPrinter) {
        var item = DumpItem("control")
        item.add("supervisor_pid", .number(Int64(reader.supervisorProcessID)))
        for index in 0..<WorkerTableReader.counterCount where reader.counter(index) != 0 {
            item.add("counter_\(index)", reader.counter(index))
        }
        printer.printBlock(item)
        for role in [WorkerTableRole.exporter, .ingest, .recorder] {
            for index in 0..<WorkerTableReader.maximumCount(role) {
                let worker = reader.worker(role, index)
                if worker.generation != 0 { printer.printLine(row(worker, role, index)) }
            }
        }
    }

    private func row(_ worker: WorkerTableEntry, _ role: WorkerTableRole, _ index: Int) -> DumpItem {
        var item = DumpItem("worker")
        item.add("role", .text(role.rawValue))
        item.add("index", index)
        item.add("state", .text("\(worker.state)"))
        item.add("since", .shown(Shown.age(worker.stateSinceNanoseconds), as: worker.stateSinceNanoseconds))
        item.add("pid", .number(Int64(worker.processID)))
        item.add("generation", worker.generation)
        item.add("started", .text(Shown.wallTime(worker.startedAtNanoseconds)))
        item.add("restarts", worker.restartCount)
        if worker.cause != .none {
            item.add("last_cause", .text(worker.cause.name))
            item.add("cause_detail", .number(Int64(worker.causeDetail)))
            item.add("died", .text(Shown.wallTime(worker.diedAtNanoseconds)))
        }
        return item
    }
}
