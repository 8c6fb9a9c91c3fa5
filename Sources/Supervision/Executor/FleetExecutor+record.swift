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
            try estate.record.write(record.encoded)
            keptRecord = bytes
        } catch {
            logger.error("cannot store the record for the next start", error: error)
        }
    }

    func makeRecord(exec: InheritanceRecord.Exec?) -> InheritanceRecord {
        InheritanceRecord(
            fleet: fleet, steadyNanoseconds: now, monotonicNanoseconds: MonotonicClock.nowNanoseconds(),
            settings: settings, startFlags: reload.startFlags, logLevel: changedLogLevel,
            nextGeneration: lanes.nextGeneration + (exec == nil ? 0 : 1), obsoleteNames: keeper.unremoved, exec: exec)
    }

    /// - Parameter sockets: new ones, for addresses that are other than before.
    func makeExec(
        _ order: ReloadOrder, _ sockets: (grpc: Listeners.Socket?, http: Listeners.Socket?)
    ) -> InheritanceRecord.Exec {
        var exec = InheritanceRecord.Exec(
            processID: getpid(), arguments: order.arguments, programs: order.programs,
            workerFolder: reload.programs.workerFolder, pids: [:], previousSockets: [:], descriptors: [])
        func add(_ name: DescriptorTable.Name, _ descriptor: Int32?) {
            guard let descriptor, descriptor >= 0 else { return }
            exec.descriptors.append(ReceivedDescriptor(name: name.description, descriptor: descriptor))
        }
        func add(_ name: StoredName, _ descriptor: Int32) {
            exec.descriptors.append(ReceivedDescriptor(name: name.description, descriptor: descriptor))
        }
        add(.lock, lock?.descriptor)
        add(.control, requests?.descriptor)
        if case .approved(let request?, _) = fleet.work { add(.reply, replies[request]?.descriptor) }
        for (role, descriptor) in starter.programs.descriptors { add(.program(role), descriptor) }
        let listeners: [(StoredName.Role, Listeners.Socket, Listeners.Socket?)] = [
            (.grpc, estate.listeners.grpc, sockets.grpc), (.http, estate.listeners.http, sockets.http),
        ]
        for (role, present, new) in listeners {
            let next = new ?? present
            exec.descriptors.append(
                ReceivedDescriptor(name: next.name?.description ?? role.rawValue, descriptor: next.descriptor))
            guard new != nil else { continue }
            exec.previousSockets[role] = .some(present.name)
            add(.previous(role), present.descriptor)
        }
        for lane in lanes.all { add(lane.name, lane.writable) }
        add(control.name, control.writable)
        add(estate.recordName, estate.record.descriptor)
        for own in lanes.ingest {
            for (parity, bell) in own.bells.enumerated() {
                add(.bell(index: own.index, parity: parity, isIngestEnd: true), bell.ingestEnd.descriptor)
                add(.bell(index: own.index, parity: parity, isIngestEnd: false), bell.exporterEnd.descriptor)
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
