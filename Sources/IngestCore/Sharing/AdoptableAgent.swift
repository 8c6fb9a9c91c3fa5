// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import RingMessages
import Rings

/// One agent in another worker's ring, every record of it checked.
struct AdoptableAgent {
    /// A sample and the table that it names, as they stand in the ring.
    struct Metrics {
        var tableNumber: UInt32
        var table: [UInt8]
        var sample: [UInt8]
        /// Wall clock.
        var receivedAtNanoseconds: Int64
    }

    var entry: AgentEntry
    var identity: IdentityRecord
    var metrics: Metrics?
    /// `CLOCK_MONOTONIC`.
    var heartbeatNanoseconds: UInt64
    /// Of the certificate that it has registered with (``PeerIdentity``); 0: without one.
    var peerIdentity: UInt64

    /// Numbers of tables begin with the time in seconds and rise by one with each change: one that is so far in the future is
    /// none of ours, and would be in the way of ours.
    private static let tableNumberSlack: Int64 = 1_000_000

    static func isBelievable(tableNumber: UInt32) -> Bool {
        let latest = WallClock.nowNanoseconds() / 1_000_000_000 + tableNumberSlack
        return Int64(tableNumber) < min(latest, Int64(UInt32.max))
    }

    /// `nil` when the slot does not hold an agent that a worker could take over.
    init?(_ slot: SlotRef, _ entry: AgentEntry, in reader: RingReader, _ inventory: RingInventory) {
        guard entry.status == .online || entry.status == .unconnected else { return nil }
        var found: IdentityRecord?
        _ = reader.read(at: entry.identityPosition) { header, payload in
            if header.type == .identity, header.agent == slot { found = IdentityRecord(payload: payload) }
        }
        guard let found, found.id == entry.id else { return nil }
        let now = MonotonicClock.nowNanoseconds()
        self.entry = entry
        self.entry.registeredAtNanoseconds = min(entry.registeredAtNanoseconds, WallClock.nowNanoseconds())
        self.entry.statusSinceNanoseconds = entry.status == .online ? now : min(entry.statusSinceNanoseconds, now)
        identity = found
        identity.registeredAtNanoseconds = self.entry.registeredAtNanoseconds
        heartbeatNanoseconds = min(reader.heartbeatNanoseconds(at: Int(slot.index)), now)
        peerIdentity = reader.peerIdentity(at: Int(slot.index))
        metrics = Self.metrics(of: slot, entry, in: reader, inventory)
    }

    private static func metrics(
        of slot: SlotRef, _ entry: AgentEntry, in reader: RingReader, _ inventory: RingInventory
    ) -> Metrics? {
        var sample: (header: SampleHeader, bytes: [UInt8])?
        _ = reader.read(at: entry.samplePosition) { header, payload in
            guard header.type == .sample, header.agent == slot, let said = Sample.header(of: payload) else { return }
            sample = (said, payload.copiedBytes)
        }
        guard let sample, isBelievable(tableNumber: sample.header.tableNumber),
            let position = inventory.table(of: slot, number: sample.header.tableNumber)
        else { return nil }
        var metrics: Metrics?
        _ = reader.read(at: position) { header, payload in
            guard header.type == .series, header.agent == slot, let table = SeriesTable(payload: payload),
                Sample(payload: sample.bytes.span.bytes, table: table) != nil
            else { return }
            metrics = Metrics(
                tableNumber: table.number, table: payload.copiedBytes, sample: sample.bytes,
                receivedAtNanoseconds: min(sample.header.receivedAtNanoseconds, WallClock.nowNanoseconds()))
        }
        return metrics
    }
}
