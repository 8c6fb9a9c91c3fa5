// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import Rings
import Testing

@testable import SupervisorCore

@Suite struct DescriptorStoreClientTests {
    /// Takes down what it is told.
    private final class FakeStore: DescriptorKeeping {
        let isThere = true
        var stored: [String: Int32] = [:]
        var removed: [String] = []
        var barriers: [Int32] = []
        private var others: [Int32] = []

        func store(_ descriptor: Int32, name: String) -> Bool {
            stored[name] = descriptor
            return true
        }

        func remove(name: String) -> Bool {
            removed.append(name)
            return true
        }

        func barrier() -> Int32? {
            guard let (end, other) = try? MessageSocket.pair() else { return nil }
            barriers += [end]
            others.append(other)
            return end
        }
    }

    private let store = FakeStore()

    private func keeper() throws -> DescriptorStoreClient {
        DescriptorStoreClient(store, events: try EventQueue(), logger: Logger(label: "test"))
    }

    private func inherited(stored: Set<String> = [], obsolete: [String] = []) throws -> InheritedResources {
        let rings = RingSet(
            state: try Ring(StoredDescriptorName(.state, generation: 1), kind: .state),
            recorder: try Ring(StoredDescriptorName(.recorder, generation: 1), kind: .state),
            secret: try RingSet.makeSecret([UInt8](repeating: 1, count: 32), generation: 1), ingest: [],
            nextGeneration: 2)
        for _ in 0..<2 { try rings.append() }
        // Any descriptor will do for a socket.
        let grpc = Listeners.Socket(descriptor: rings.state.readable, name: StoredDescriptorName(.grpc, generation: 1))
        let http = Listeners.Socket(descriptor: rings.state.readable, name: nil)
        return InheritedResources(
            listeners: Listeners([.grpc: grpc, .http: http]), rings: rings, control: try WorkerTable(generation: 1),
            recordName: StoredDescriptorName(.record, generation: 1), record: try SharedRecord(name: "fodc-test"),
            storedNames: stored, obsoleteNames: obsolete)
    }

    @Test func descriptorStoreClient_storesAllThatOutlivesTheSupervisor() throws {
        let inherited = try inherited()
        try keeper().keep(inherited)
        #expect(
            Set(store.stored.keys) == [
                "state-0.1", "recorder-0.1", "secret-0.1", "data-0.2", "commanda-0.2", "commandb-0.2", "data-1.3",
                "commanda-1.3",
                "commandb-1.3", "grpc-0.1", "control-0.1", "record-0.1",
            ], "a socket unit's own socket is systemd's")
        #expect(store.stored["record-0.1"] == inherited.record.descriptor)
        #expect(store.stored["data-1.3"] == inherited.rings.ingest[1].dataRing.writable)
        #expect(store.removed.isEmpty && store.barriers.isEmpty)
    }

    @Test func descriptorStoreClient_storesNothingTwice() throws {
        let inherited = try inherited(stored: ["state-0.1", "data-0.2", "grpc-0.1", "control-0.1", "record-0.1"])
        try keeper().keep(inherited)
        #expect(
            Set(store.stored.keys) == [
                "recorder-0.1", "secret-0.1", "commanda-0.2", "commandb-0.2", "data-1.3", "commanda-1.3",
                "commandb-1.3",
            ])
    }

    @Test func descriptorStoreClient_removesTheOldWhenTheNewIsStored() throws {
        let inherited = try inherited(obsolete: ["data-9.1"])
        let keeper = try keeper()
        keeper.keep(inherited)
        #expect(store.removed.isEmpty && store.barriers.count == 1 && keeper.unremoved == ["data-9.1"])
        // A worker goes meanwhile.
        keeper.forget(inherited.rings.removeLast().all)
        #expect(store.removed.isEmpty && store.barriers.count == 1)
        keeper.barrierPassed()
        #expect(store.removed == ["data-9.1"] && store.barriers.count == 2)
        #expect(keeper.unremoved == ["data-1.3", "commanda-1.3", "commandb-1.3"])
        keeper.barrierPassed()
        #expect(store.removed == ["data-9.1", "data-1.3", "commanda-1.3", "commandb-1.3"] && keeper.unremoved.isEmpty)
    }
}
