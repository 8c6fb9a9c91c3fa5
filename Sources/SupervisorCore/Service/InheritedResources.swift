// SPDX-License-Identifier: Apache-2.0
import Platform

/// Resources that outlive every worker, and, where systemd stores them or they are passed on, the supervisor: sockets, rings, the table
/// of workers, and the record for the next supervisor.
final class InheritedResources {
    var listeners: Listeners
    let rings: RingSet
    let control: WorkerTable
    let recordName: StoredDescriptorName
    var record: SharedRecord
    /// A predecessor has left it: agents and clients rely on the service.
    var isInherited: Bool { !storedNames.isEmpty }
    /// Descriptors that systemd has already.
    var storedNames: Set<String>
    /// Stored descriptors that are not needed any more.
    let obsoleteNames: [String]

    init(
        listeners: Listeners, rings: RingSet, control: WorkerTable, recordName: StoredDescriptorName,
        record: SharedRecord,
        storedNames: Set<String> = [], obsoleteNames: [String] = []
    ) {
        self.listeners = listeners
        self.rings = rings
        self.control = control
        (self.recordName, self.record) = (recordName, record)
        self.storedNames = storedNames
        self.obsoleteNames = obsoleteNames
    }
}
