// SPDX-License-Identifier: Apache-2.0
import Lanes
import Logging
import Platform
import Testing

@testable import Supervision

@Suite struct StoreKeeperTests {
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

    private func keeper() throws -> StoreKeeper {
        StoreKeeper(store, events: try EventQueue(), logger: Logger(label: "test"))
    }

    private func estate(stored: Set<String> = [], obsolete: [String] = []) throws -> Estate {
        let lanes = LaneSet(
            state: try Lane(StoredName(.state, generation: 1), kind: .state),
            recorder: try Lane(StoredName(.recorder, generation: 1), kind: .state),
            secret: try LaneSet.makeSecret([UInt8](repeating: 1, count: 32), generation: 1), ingest: [],
            nextGeneration: 2)
        for _ in 0..<2 { try lanes.append() }
        // Any descriptor will do for a socket.
        let grpc = Listeners.Socket(descriptor: lanes.state.readable, name: StoredName(.grpc, generation: 1))
        let http = Listeners.Socket(descriptor: lanes.state.readable, name: nil)
        return Estate(
            listeners: Listeners(grpc: grpc, http: http), lanes: lanes, control: try ControlBoard(generation: 1),
            recordName: StoredName(.record, generation: 1), record: try SharedRecord(name: "fodc-test"),
            storedNames: stored, obsoleteNames: obsolete)
    }

    @Test func storeKeeper_keepsAllThatOutlivesTheSupervisor() throws {
        let estate = try estate()
        try keeper().keep(estate)
        #expect(
            Set(store.stored.keys) == [
                "state-0.1", "recorder-0.1", "secret-0.1", "up-0.2", "downa-0.2", "downb-0.2", "up-1.3", "downa-1.3",
                "downb-1.3", "grpc-0.1", "control-0.1", "record-0.1",
            ], "a socket unit's own socket is systemd's")
        #expect(store.stored["record-0.1"] == estate.record.descriptor)
        #expect(store.stored["up-1.3"] == estate.lanes.ingest[1].up.writable)
        #expect(store.removed.isEmpty && store.barriers.isEmpty)
    }

    @Test func storeKeeper_storesNothingTwice() throws {
        let estate = try estate(stored: ["state-0.1", "up-0.2", "grpc-0.1", "control-0.1", "record-0.1"])
        try keeper().keep(estate)
        #expect(
            Set(store.stored.keys) == [
                "recorder-0.1", "secret-0.1", "downa-0.2", "downb-0.2", "up-1.3", "downa-1.3", "downb-1.3",
            ])
    }

    @Test func storeKeeper_removesTheOldWhenTheNewIsKept() throws {
        let estate = try estate(obsolete: ["up-9.1"])
        let keeper = try keeper()
        keeper.keep(estate)
        #expect(store.removed.isEmpty && store.barriers.count == 1 && keeper.unremoved == ["up-9.1"])
        // A worker goes meanwhile.
        keeper.forget(estate.lanes.removeLast().all)
        #expect(store.removed.isEmpty && store.barriers.count == 1)
        keeper.barrierPassed()
        #expect(store.removed == ["up-9.1"] && store.barriers.count == 2)
        #expect(keeper.unremoved == ["up-1.3", "downa-1.3", "downb-1.3"])
        keeper.barrierPassed()
        #expect(store.removed == ["up-9.1", "up-1.3", "downa-1.3", "downb-1.3"] && keeper.unremoved.isEmpty)
    }
}
