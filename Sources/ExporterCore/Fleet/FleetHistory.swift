// SPDX-License-Identifier: Apache-2.0
import Metrics
import NIOCore
import Platform
import Rings

/// The last half hour of every node in a few values, for the small charts of the fleet page and the edges of the graph. A
/// successor of this exporter begins it anew; the black box has the whole history.
///
/// Values are read out of samples on a thread of their own, so that they cost a scrape nothing. Everything else is on the
/// event loop.
final class FleetHistory {
    static let intervalNanoseconds: UInt64 = 30_000_000_000
    /// Half an hour.
    static let pointCount = 60
    /// Nodes that are kept, those that are gone among them; beyond that number the small charts stay empty.
    static let maximumNodes = 4096

    /// The values of one node, the newest last.
    struct Track {
        fileprivate(set) var memoryBytes: [Float] = []
        fileprivate(set) var cpuCores: [Float] = []
        fileprivate(set) var rates: NodeRates?
        fileprivate var last: NodeReading?
        fileprivate var emptyPoints = 0

        /// Appends a point; not a number stands for a value that is not known.
        fileprivate mutating func append(_ reading: NodeReading?) {
            var point: (memory: Float, cpu: Float) = (.nan, .nan)
            if let reading, reading.atNanoseconds != last?.atNanoseconds {
                point.memory = Self.plausible(reading.memoryBytes)
                if let last {
                    let rates = NodeRates(from: last, to: reading)
                    point.cpu = Self.plausible(rates.cpuCores)
                    self.rates = rates
                }
                last = reading
                emptyPoints = 0
            } else {
                emptyPoints += 1
                if emptyPoints > 1 { rates = nil }
            }
            if memoryBytes.count == FleetHistory.pointCount {
                memoryBytes.removeFirst()
                cpuCores.removeFirst()
            }
            memoryBytes.append(point.memory)
            cpuCores.append(point.cpu)
        }

        /// Values are an agent's: those that no node can have count as not known.
        private static func plausible(_ value: Double?) -> Float {
            guard let value, value >= 0, value < maximumValue else { return .nan }
            return Float(value)
        }

        /// An exabyte.
        private static let maximumValue = 1e18
    }

    private let directory: AgentDirectory
    private let loop: any EventLoop
    private let thread: JobThread
    /// By pod name: an agent that comes back has another id.
    private(set) var tracks: [String: Track] = [:]
    private var lastReadAtNanoseconds: UInt64 = 0
    private var isReading = false

    init(directory: AgentDirectory, loop: any EventLoop) throws(SystemError) {
        self.directory = directory
        self.loop = loop
        thread = try JobThread(name: "fleet-history")
    }

    deinit { thread.stop() }

    /// To be called again and again; reads the newest samples when an interval is over.
    /// - Parameter now: `CLOCK_MONOTONIC`.
    /// - Returns: whether it does.
    func readIfDue(nowNanoseconds now: UInt64) -> Bool {
        // The first two readings follow each other closely, so that rates are there soon.
        let interval =
            tracks.isEmpty || tracks.values.first?.memoryBytes.count == 1
            ? Self.firstIntervalNanoseconds : Self.intervalNanoseconds
        guard !isReading, now.elapsed(since: lastReadAtNanoseconds) >= interval else { return false }
        lastReadAtNanoseconds = now
        var samples: [(pod: String, table: SeriesTable, sample: Sample)] = []
        for listed in directory.listed().values {
            guard let identity = listed.owner.identity, let agent = listed.newest?.agent, let table = agent.table,
                let sample = agent.sample
            else { continue }
            samples.append((identity.identity.podName, table, sample))
        }
        guard !samples.isEmpty || !tracks.isEmpty else { return true }
        isReading = true
        let history = NIOLoopBound(self, eventLoop: loop)
        thread.run { [loop, samples] in
            let readings = samples.map { ($0.pod, NodeReading($0.table, $0.sample)) }
            loop.execute { history.value.append(readings) }
        }
        return true
    }

    private static let firstIntervalNanoseconds: UInt64 = 10_000_000_000

    private func append(_ readings: [(String, NodeReading)]) {
        isReading = false
        // Of several agents of one pod the newest sample counts.
        let byPod = Dictionary(readings) { $0.atNanoseconds > $1.atNanoseconds ? $0 : $1 }
        for pod in byPod.keys where tracks[pod] == nil && tracks.count < Self.maximumNodes { tracks[pod] = Track() }
        for pod in tracks.keys { tracks[pod]?.append(byPod[pod]) }
        tracks = tracks.filter { $0.value.emptyPoints < Self.pointCount }
    }
}
