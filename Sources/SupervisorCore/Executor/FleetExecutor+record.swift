// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import Settings
import WorkerLink

/// The record for the next program, or the next start.
extension FleetExecutor {
    /// Writes the record anew when something in it has changed.
    func keepRecord() {
        var record = makeRecord(exec: nil)
        let times = (record.steadyNanoseconds, record.monotonicNanoseconds)
        (record.steadyNanoseconds, record.monotonicNanoseconds) = (0, 0)
        let bytes = record.encoded
        guard bytes != keptRecord else { return }
        (record.steadyNanoseconds, record.monotonicNanoseconds) = times
        do throws(SystemError) {
            try inherited.record.write(record.encoded)
            keptRecord = bytes
        } catch {
            logger.error("cannot store the record for the next start", error: error)
        }
    }

    func makeRecord(exec: InheritanceRecord.Exec?) -> InheritanceRecord {
        InheritanceRecord(
            fleet: fleet, steadyNanoseconds: now, monotonicNanoseconds: MonotonicClock.nowNanoseconds(),
            settings: settings, startFlags: reload.startFlags, logLevel: changedLogLevel,
            nextGeneration: rings.nextGeneration + (exec == nil ? 0 : 1), obsoleteNames: keeper.unremoved, exec: exec)
    }

    /// - Parameter sockets: new ones, for addresses that are other than before.
    func makeExec(
        _ order: ReloadOrder, _ sockets: [StoredDescriptorName.Role: Listeners.Socket]
    ) -> InheritanceRecord.Exec {
        var exec = InheritanceRecord.Exec(
            processID: getpid(), arguments: order.arguments, programs: order.programs,
            workerFolder: reload.programs.workerFolder, pids: [:], previousSockets: [:], descriptors: [])
        func add(_ name: DescriptorTable.Name, _ descriptor: Int32?) {
            guard let descriptor, descriptor >= 0 else { return }
            exec.descriptors.append(ReceivedDescriptor(name: name.description, descriptor: descriptor))
        }
        func add(_ name: StoredDescriptorName, _ descriptor: Int32) {
            exec.descriptors.append(ReceivedDescriptor(name: name.description, descriptor: descriptor))
        }
        add(.lock, lock?.descriptor)
        add(.control, requests?.descriptor)
        if case .approved(let request?, _) = fleet.work { add(.reply, replies[request]?.descriptor) }
        for (role, descriptor) in starter.programs.descriptors { add(.program(role), descriptor) }
        for place in ListeningPlace.all {
            let present = inherited.listeners[place.role]
            // None for a place that is given up.
            let next = sockets[place.role] ?? (place.address(order.settings) == nil ? nil : present)
            if let next {
                exec.descriptors.append(
                    ReceivedDescriptor(
                        name: next.name?.description ?? place.role.rawValue, descriptor: next.descriptor))
            }
            guard let present, present != next else { continue }
            exec.previousSockets[place.role] = .some(present.name)
            add(.previous(place.role), present.descriptor)
        }
        for ring in rings.all { add(ring.name, ring.writable) }
        add(control.name, control.writable)
        add(inherited.recordName, inherited.record.descriptor)
        for own in rings.ingest {
            for (parity, wakeup) in own.wakeups.enumerated() {
                add(.wakeup(index: own.index, parity: parity, isIngestEnd: true), wakeup.ingestEnd.descriptor)
                add(.wakeup(index: own.index, parity: parity, isIngestEnd: false), wakeup.exporterEnd.descriptor)
            }
        }
        for (id, process) in processes.running.sorted(by: { $0.key < $1.key }) {
            exec.pids[id] = process.child.pid
            add(.pidfd(id), process.child.pidfd)
            add(.link(id), process.link)
        }
        return exec
    }
}
