// SPDX-License-Identifier: Apache-2.0
import Platform

/// Resources that outlive every worker, and, where systemd stores them or they are passed on, the supervisor: sockets, lanes, the table
/// of workers, and the record for the next supervisor.
final class Estate {
    var listeners: Listeners
    let lanes: LaneSet
    let control: ControlBoard
    let recordName: StoredName
    var record: SharedRecord
    /// A predecessor has left it: agents and clients rely on the service.
    var isInherited: Bool { !storedNames.isEmpty }
    /// Descriptors that systemd has already.
    var storedNames: Set<String>
    /// Stored descriptors that are not needed any more.
    let obsoleteNames: [String]

    init(
        listeners: Listeners, lanes: LaneSet, control: ControlBoard, recordName: StoredName, record: SharedRecord,
        storedNames: Set<String> = [], obsoleteNames: [String] = []
    ) {
        self.listeners = listeners
        self.lanes = lanes
        self.control = control
        (self.recordName, self.record) = (recordName, record)
        self.storedNames = storedNames
        self.obsoleteNames = obsoleteNames
    }
}
