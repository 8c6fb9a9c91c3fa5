// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes

/// The agent tables of the other ingest workers, read-only: for the limit of agents, and to see that an agent of ours
/// has gone over to another worker.
final class OtherWorkers {
    struct Listed {
        var isOnline: Bool
        var registeredAtNanoseconds: Int64
        var unconnectedSinceNanoseconds: UInt64
    }

    let lanes: OtherLanes
    /// Whether the worker of that index runs. Nobody is online at one that does not, whatever its lane still says.
    private let isRunning: (Int) -> Bool
    /// The last look at the tables; by id, an online entry before an unconnected one.
    private(set) var listed: [AgentID: Listed] = [:]

    init(lanes: OtherLanes, isRunning: @escaping (Int) -> Bool) {
        self.lanes = lanes
        self.isRunning = isRunning
    }

    /// At least as many as the others list now: their own counts, which they keep with every change.
    var listedBound: Int {
        lanes.indices.reduce(0) { sum, index in
            guard let reader = lanes.reader(index) else { return sum }
            return sum + Int(clamping: reader.counter(IngestCounter.agentsOnline.rawValue))
                + Int(clamping: reader.counter(IngestCounter.agentsUnconnected.rawValue))
        }
    }

    /// Reads the tables anew. Costs some 50 ns an agent.
    func refresh() {
        listed.removeAll(keepingCapacity: true)
        for index in lanes.indices {
            guard let reader = lanes.reader(index) else { continue }
            let isRunning = isRunning(index)
            for slot in 0..<reader.slotHighWater {
                guard let (_, entry) = reader.entry(at: slot) else { continue }
                guard entry.status == .online || entry.status == .unconnected else { continue }
                let isOnline = isRunning && entry.status == .online
                if let known = listed[entry.id], known.isOnline, !isOnline { continue }
                listed[entry.id] = Listed(
                    isOnline: isOnline, registeredAtNanoseconds: entry.registeredAtNanoseconds,
                    unconnectedSinceNanoseconds: entry.statusSinceNanoseconds)
            }
        }
    }
}
