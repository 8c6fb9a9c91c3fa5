// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import RingMessages
import Rings

/// One agent in the ring that this worker has taken over.
struct PredecessorsAgent {
    var slot: SlotRef
    var entry: AgentEntry
    var identity: IdentityRecord
    /// Of its newest sample, wall clock and not in the future.
    var sampleReceivedAtNanoseconds: Int64?
    /// `CLOCK_MONOTONIC`; 0: unknown.
    var heartbeatNanoseconds: UInt64
    var source: UInt64 = 0
    var peerIdentity: UInt64 = 0

    init(
        slot: SlotRef, entry: AgentEntry, identity: IdentityRecord, sampleReceivedAtNanoseconds: Int64? = nil,
        heartbeatNanoseconds: UInt64 = 0
    ) {
        self.slot = slot
        self.entry = entry
        self.identity = identity
        self.sampleReceivedAtNanoseconds = sampleReceivedAtNanoseconds
        self.heartbeatNanoseconds = heartbeatNanoseconds
    }

    /// `nil` when its identity is not there.
    init?(_ slot: SlotRef, _ entry: AgentEntry, in reader: RingReader) {
        var found: IdentityRecord?
        _ = reader.read(at: entry.identityPosition) { header, payload in
            if header.type == .identity, header.agent == slot { found = IdentityRecord(payload: payload) }
        }
        guard let found, found.id == entry.id else { return nil }
        self.init(
            slot: slot, entry: entry, identity: found,
            sampleReceivedAtNanoseconds: entry.sampleReceivedAtNanoseconds(slot, in: reader)
                .map { min($0, WallClock.nowNanoseconds()) },
            heartbeatNanoseconds: reader.heartbeatNanoseconds(at: Int(slot.index)))
        source = reader.source(at: Int(slot.index))
        peerIdentity = reader.peerIdentity(at: Int(slot.index))
    }
}

extension AgentEntry {
    /// When the sample came that the ring has of this agent, wall clock; `nil` without one.
    func sampleReceivedAtNanoseconds(_ slot: SlotRef, in reader: RingReader) -> Int64? {
        var time: Int64?
        _ = reader.read(at: samplePosition) { header, payload in
            guard header.type == .sample, header.agent == slot else { return }
            time = Sample.header(of: payload)?.receivedAtNanoseconds
        }
        return time
    }
}
