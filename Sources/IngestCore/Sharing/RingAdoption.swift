// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings

/// Takes over what is current in the ring of an ingest worker that is no more, a slice at a time. Beginning again, as after
/// a death in the middle, does no harm: what is here already is left as it is.
final class RingAdoption {
    enum Progress: Equatable {
        case more
        /// The own ring is full: the exporter has to read first.
        case waits
        case done
    }

    /// The longest that one slice may take, but for a single record.
    static let sliceNanoseconds: UInt64 = 20_000_000
    /// Headers looked at between two looks at the clock.
    private static let headersAtOnce = 1000

    let worker: Int
    private(set) var adopted = 0
    private(set) var completed = 0
    private(set) var leftElsewhere = 0
    private(set) var leftForLimit = 0
    private(set) var leftQuarantined = 0

    private let reader: RingReader
    private let service: AgentService
    /// Where the other workers have their agents, but for the one that is adopted.
    private let otherSamples: () -> OtherSamples
    private var entries: [(slot: SlotRef, entry: AgentEntry)] = []
    private var inventory: RingInventory
    private var scanPosition: UInt64
    private var isScanned = false
    private var next = 0

    struct OtherSamples {
        /// An agent with a sample there. Times are the wall clock's.
        struct Place {
            var registeredAtNanoseconds: Int64
            /// Reads it; `nil` when it is gone.
            var sampleReceivedAtNanoseconds: () -> Int64?
        }

        var places: [AgentID: Place] = [:]

        /// Whether it has answered there since it left: who has only come back has a sample of an earlier time there.
        func hasNewer(_ entry: AgentEntry) -> Bool {
            guard let place = places[entry.id], place.registeredAtNanoseconds >= entry.registeredAtNanoseconds,
                let received = place.sampleReceivedAtNanoseconds()
            else { return false }
            return received >= place.registeredAtNanoseconds
        }
    }

    init(worker: Int, reader: RingReader, service: AgentService, otherSamples: @escaping () -> OtherSamples) {
        self.worker = worker
        self.reader = reader
        self.service = service
        self.otherSamples = otherSamples
        for index in 0..<reader.slotHighWater {
            guard let (slot, entry) = reader.entry(at: index) else { continue }
            if entry.status == .online || entry.status == .unconnected { entries.append((slot, entry)) }
        }
        // If not all have room: those who were there to the end, then who went last.
        entries.sort {
            if ($0.entry.status == .online) != ($1.entry.status == .online) { return $0.entry.status == .online }
            return $0.entry.statusSinceNanoseconds > $1.entry.statusSinceNanoseconds
        }
        inventory = RingInventory(wanted: entries.map(\.slot))
        scanPosition = reader.tail
    }

    func step() -> Progress {
        let end = MonotonicClock.nowNanoseconds() + Self.sliceNanoseconds
        while !isScanned {
            isScanned = reader.scanHeaders(from: &scanPosition, atMost: Self.headersAtOnce) {
                inventory.note($0, isForgotten: $1)
            }
            if MonotonicClock.nowNanoseconds() >= end { return .more }
        }
        let otherSamples = otherSamples()
        while next < entries.count {
            guard service.outbox.isEmpty else { return .waits }
            if MonotonicClock.nowNanoseconds() >= end { return .more }
            let (slot, entry) = entries[next]
            next += 1
            if otherSamples.hasNewer(entry) {
                leftElsewhere += 1
            } else if service.isQuarantined(entry.identityHash) {
                leftQuarantined += 1
            } else {
                // It may be what the worker has died of.
                service.marker.working(on: entry.identityHash) {
                    guard let agent = AdoptableAgent(slot, entry, in: reader, inventory) else { return }
                    take(agent, slot)
                }
            }
        }
        return .done
    }

    private func take(_ found: AdoptableAgent, _ slot: SlotRef) {
        let (outcome, agent) = service.adopt(found)
        switch outcome {
        case .adopted: adopted += 1
        case .completed: completed += 1
        case .noRoom: leftForLimit += 1
        }
        guard let agent else { return }
        for place in inventory.answers(of: slot) {
            _ = reader.read(at: place.position) { header, payload in
                guard header.agent == slot, header.type == place.type, header.subject == place.subject else { return }
                service.answers.adopt(header, payload, for: agent)
            }
        }
    }
}
