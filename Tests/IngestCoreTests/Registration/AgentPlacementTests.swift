// SPDX-License-Identifier: Apache-2.0
import Rings
import Testing

@testable import IngestCore

@Suite struct AgentPlacementTests {
    private let own = AgentID(high: 1, low: 1)
    private let second = AgentID(high: 2, low: 2)
    private let now: UInt64 = 100_000_000_000

    private func remote(
        _ id: AgentID, _ status: AgentStatus, isServing: Bool = true, confirmedAt: UInt64 = 0
    ) -> RemoteEntry {
        let entry = AgentEntry(id: id, status: status, confirmedAtNanoseconds: confirmedAt)
        var remote = RemoteEntry(worker: 1, slot: SlotRef(index: 0, generation: 1), entry, source: 0)
        remote.isServing = isServing
        return remote
    }

    private func place(
        _ local: [(AgentID, isConnected: Bool)] = [], _ remote: [RemoteEntry] = [], now: UInt64? = nil
    ) -> AgentPlacement {
        AgentPlacement(
            own: own, local: local.map { AgentPlacement.Local(id: $0.0, isConnected: $0.isConnected) }, remote: remote,
            nowNanoseconds: now ?? self.now)
    }

    @Test func agentPlacement_assignsTheIdentitysOwnID() {
        for placement in [
            place(), place([(own, false)]), place([], [remote(own, .unconnected)]), place([], [remote(own, .online)]),
            place([], [remote(own, .online, isServing: false, confirmedAt: now)]),
            place([], [remote(own, .pending, confirmedAt: now)]),
        ] {
            #expect(placement.id == own)
            #expect(!placement.isDuplicate)
        }
    }

    @Test func agentPlacement_leavesTheIDOfALiveConnection() {
        for placement in [place([(own, true)]), place([], [remote(own, .online, confirmedAt: now)])] {
            #expect(placement.id == nil)
            #expect(placement.isDuplicate)
        }
    }

    @Test func agentPlacement_trustsAConfirmationForALimitedTime() {
        let age = AgentPlacement.confirmationNanoseconds
        #expect(place([], [remote(own, .online, confirmedAt: now - age + 1)]).id == nil)
        #expect(place([], [remote(own, .online, confirmedAt: now - age)]).id == own)
        #expect(place([], [remote(own, .online, confirmedAt: .max)]).id == nil)
    }

    /// CLOCK_MONOTONIC begins at 0 with the machine, and 0 in an entry says that it was never confirmed.
    @Test func agentPlacement_doesNotTakeZeroForAConfirmation() {
        let placement = place([], [remote(own, .online)], now: AgentPlacement.confirmationNanoseconds / 2)
        #expect(placement.id == own && !placement.isDuplicate)
    }

    @Test func agentPlacement_givesADuplicateAnUnusedID() {
        let taken = remote(own, .online, confirmedAt: now)
        #expect(place([(second, false)], [taken]).id == second)
        #expect(place([], [taken, remote(second, .unconnected)]).id == second)
        #expect(place([], [taken, remote(second, .online, isServing: false)]).id == second)
        #expect(place([(second, true)], [taken]).id == nil)
        #expect(place([(second, false)], [taken, remote(second, .online)]).id == nil, "it has gone over to there")
        #expect(place([], [taken, remote(second, .remote)]).id == nil)
    }

    @Test func agentPlacement_assignsTheOwnIDWhileADuplicateIsOnline() {
        let placement = place([(second, true)], [remote(own, .unconnected)])
        #expect(placement.id == own)
        #expect(placement.isDuplicate)
    }
}
