// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform

/// Where descriptors are kept: systemd's store, or that of a test.
protocol DescriptorKeeping {
    var isThere: Bool { get }
    func store(_ descriptor: Int32, name: String) -> Bool
    func remove(name: String) -> Bool
    func barrier() -> Int32?
}

extension DescriptorStore: DescriptorKeeping {}

/// Keeps systemd's store in step with what there is: the new is stored at once, the old is removed when systemd has taken
/// all that was sent before.
final class DescriptorStoreClient {
    private let store: any DescriptorKeeping
    private let events: EventQueue
    private let logger: Logger
    /// Names to be removed after the barrier under way, and after the next.
    private var removing: [String] = []
    private var waiting: [String] = []
    private var barrier: Int32 = -1

    init(_ store: any DescriptorKeeping = DescriptorStore(), events: EventQueue, logger: Logger) {
        self.store = store
        self.events = events
        self.logger = logger
    }

    /// All that systemd has not got yet; what nobody needs goes.
    func keep(_ inherited: InheritedResources) {
        for ring in inherited.rings.all where !inherited.storedNames.contains(ring.name.description) { keep(ring) }
        for socket in inherited.listeners.all {
            if let name = socket.name, !inherited.storedNames.contains(name.description) { keep(socket) }
        }
        if !inherited.storedNames.contains(inherited.control.name.description) {
            keep(inherited.control.writable, inherited.control.name)
        }
        if !inherited.storedNames.contains(inherited.recordName.description) {
            keep(inherited.record.descriptor, inherited.recordName)
        }
        forget(inherited.obsoleteNames)
    }

    func keep(_ ring: Ring) { keep(ring.writable, ring.name) }

    func keep(_ socket: Listeners.Socket) {
        if let name = socket.name { keep(socket.descriptor, name) }
    }

    private func keep(_ descriptor: Int32, _ name: StoredDescriptorName) {
        guard store.isThere, !store.store(descriptor, name: name.description) else { return }
        logger.warning("systemd could not be told to store a descriptor", metadata: ["name": "\(name)"])
    }

    func forget(_ rings: [Ring]) { forget(rings.map(\.name.description)) }

    func forget(_ names: [String]) {
        guard store.isThere, !names.isEmpty else { return }
        waiting += names
        startBarrier()
    }

    private func startBarrier() {
        guard barrier < 0, !waiting.isEmpty else { return }
        guard let end = store.barrier() else { return removeNow() }
        do throws(SystemError) {
            try events.add(end, token: EventToken.barrier.rawValue)
        } catch {
            MemoryFile.close(end)
            return removeNow()
        }
        barrier = end
        removing = waiting
        waiting = []
    }

    /// Without a barrier a crash may leave neither the old nor the new one, which is better than a store that fills up.
    private func removeNow() {
        for name in waiting { _ = store.remove(name: name) }
        waiting = []
    }

    /// The barrier's descriptor is readable.
    func barrierPassed() {
        guard barrier >= 0 else { return }
        events.remove(barrier)
        MemoryFile.close(barrier)
        barrier = -1
        for name in removing { _ = store.remove(name: name) }
        removing = []
        startBarrier()
    }

    /// Names that are still to be removed: for the program after an exec.
    var unremoved: [String] { removing + waiting }
}
