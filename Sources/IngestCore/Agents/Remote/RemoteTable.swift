// SPDX-License-Identifier: Apache-2.0
import Rings

/// One other worker's table as it was looked at last: which node of ``OtherWorkers`` each slot has, and how many agents come
/// from which address.
final class RemoteTable {
    let reader: RingReader
    /// Changes when the worker begins its ring anew.
    let formattedAtNanoseconds: Int64
    var isServing = false
    /// `CLOCK_MONOTONIC`; `nil`: its worker is not dead.
    var deadSince: UInt64?
    /// By slot; `nil` for a slot without an agent.
    private(set) var nodes: [Int32?] = []
    private var versions: [UInt64] = []
    private var onlineBySource: [UInt64: Int] = [:]
    private var unansweredBySource: [UInt64: Int] = [:]

    /// No slot has changed so often.
    private static let neverRead = UInt64.max

    init(_ reader: RingReader) {
        self.reader = reader
        formattedAtNanoseconds = reader.formattedAtNanoseconds
    }

    /// Whether this is still what that reader shows.
    func isOf(_ reader: RingReader) -> Bool {
        self.reader === reader && formattedAtNanoseconds == reader.formattedAtNanoseconds
    }

    /// Calls `body` with each slot that has changed since the last call, and what stands there now. One load a slot that has
    /// not.
    func forEachChange(_ body: (_ slot: Int, (SlotRef, AgentEntry)?) -> Void) {
        let count = reader.slotHighWater
        while versions.count < count {
            versions.append(Self.neverRead)
            nodes.append(nil)
        }
        for slot in 0..<count {
            let version = reader.entryVersion(at: slot)
            guard version != versions[slot] else { continue }
            // Taken before the entry is read, so a change in between is seen the next time.
            versions[slot] = version
            body(slot, reader.entry(at: slot))
        }
    }

    func setNode(_ node: Int32?, at slot: Int) { nodes[slot] = node }

    // MARK: Addresses

    func agents(of source: UInt64) -> Int { onlineBySource[source] ?? 0 }
    func unanswered(of source: UInt64) -> Int { unansweredBySource[source] ?? 0 }

    /// - Parameter n: 1 for an entry that has come, -1 for one that has gone.
    func count(_ entry: RemoteEntry, _ n: Int) {
        guard entry.source != 0, entry.isListed else { return }
        if entry.status == .online { Self.add(n, to: &onlineBySource, entry.source) }
        if !entry.hasSample { Self.add(n, to: &unansweredBySource, entry.source) }
    }

    private static func add(_ n: Int, to counts: inout [UInt64: Int], _ source: UInt64) {
        let count = (counts[source] ?? 0) + n
        counts[source] = count > 0 ? count : nil
    }
}
