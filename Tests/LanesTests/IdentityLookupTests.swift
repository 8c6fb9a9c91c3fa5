// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import Lanes

@Suite struct IdentityLookupTests {
    @Test func entriesAreFoundByIdentityAndByID() throws {
        let descriptor = try LaneFile.create(name: "fodc-test", kind: .up)
        defer { MemoryFile.close(descriptor) }
        let writer = try LaneWriter.format(
            descriptor: descriptor, kind: .up, index: 0, generation: 1, maximumRingBytes: 1 << 20)
        let reader = try LaneReader(descriptor: descriptor, kind: .up)
        #expect(reader.entries(identityHash: 0).isEmpty)
        var slots: [SlotRef] = []
        for number in 0..<6 as Range<UInt64> {
            let slot = try #require(writer.claimSlot())
            slots.append(slot)
            let id = AgentID(high: number, low: 9)
            writer.setEntry(AgentEntry(id: id, identityHash: number % 2 + 1, status: .online), at: slot)
        }
        #expect(reader.entries(identityHash: 1).map(\.slot) == [slots[0], slots[2], slots[4]])
        #expect(reader.entries(id: AgentID(high: 3, low: 9)).map(\.slot) == [slots[3]])
        #expect(reader.entries(id: AgentID(high: 7, low: 9)).isEmpty)
        // Also in the other of the two copies, and not what stood there before.
        writer.setEntry(AgentEntry(id: AgentID(high: 0, low: 9), identityHash: 2, status: .claiming), at: slots[0])
        #expect(reader.entries(identityHash: 1).map(\.slot) == [slots[2], slots[4]])
        writer.releaseSlot(slots[2])
        #expect(reader.entries(identityHash: 1).map(\.slot) == [slots[4]])
        #expect(reader.entries(identityHash: 0).isEmpty, "nobody is found in free slots")
    }
}
