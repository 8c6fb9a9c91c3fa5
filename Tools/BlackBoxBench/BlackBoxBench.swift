// SPDX-License-Identifier: Apache-2.0
import AgentSimulation
import ArgumentParser
import BlackBox
import Database
import Exchange
import Glibc
import Metrics
import Platform

/// `make bench-black-box`: what the black box costs, on values that move as those of BanyanDB's nodes do.
@main
struct BlackBoxBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "BlackBoxBench",
        abstract: "Records simulated agents in a black box, and prints what a sample costs of disk, CPU and memory.")

    @Option(help: "Nodes that are recorded.") var agents = 100
    @Option(help: "Series of each.") var series = 2000
    @Option(help: "Samples of each node, one every ten seconds.") var rows = 128
    @Option(help: "A folder on the disk that is to be measured.") var folder = "/tmp"

    /// Nodes with values of their own; the others repeat them, shifted in time.
    private static let distinctAgents = 4
    private static let startSeconds: Int64 = 1_796_004_800
    private static let secondsPerRow: Int64 = 10

    func run() throws {
        let columns = values()
        let before = Resident.bytes()
        var template = Array("\(folder)/fodc-black-box-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp in \(folder)") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in (try? FolderListing.names(in: path)) ?? [] { unlink("\(path)/\(name)") }
            rmdir(path)
        }
        let store = try BlackBoxStore(folder: path)
        let table = try store.transaction { () throws(DatabaseError) in
            try store.storeTable(Self.table(series), seriesCount: series)
        }
        var nodes: [Int64] = []
        try store.transaction { () throws(DatabaseError) in
            for index in 0..<agents {
                let node = NodeRecord(
                    identity: AgentIdentity(podName: "pod-\(index)", containerNames: []), agentID: "", role: "",
                    labels: [], address: "")
                nodes.append(try store.storeNode(node, seenAtNanoseconds: 1))
            }
        }
        let (wall, cpu) = (MonotonicClock.nowNanoseconds(), CPUTime.nanoseconds())
        var slowest: UInt64 = 0
        for row in 0..<rows {
            let began = MonotonicClock.nowNanoseconds()
            try store.transaction { () throws(DatabaseError) in
                for (place, node) in nodes.enumerated() {
                    // Shifted by whole rows, so that neighbours are not equal.
                    let part = columns[place % columns.count]
                    let seconds = Self.startSeconds + Int64(row) * Self.secondsPerRow
                    try store.append(
                        SampleColumns(
                            receivedAtNanoseconds: seconds * 1_000_000_000 + Int64(place) * 1_000_003,
                            commonTimeMicroseconds: seconds * 1_000_000,
                            valueBits: part[(row + place / columns.count) % part.count], timesMicroseconds: []),
                        node: node, table: table)
                }
            }
            slowest = max(slowest, MonotonicClock.nowNanoseconds() - began)
        }
        let (wallUsed, cpuUsed) = (MonotonicClock.nowNanoseconds() - wall, CPUTime.nanoseconds() - cpu)
        let samples = Double(agents * series * rows)
        print("\(agents) nodes, \(series) series, \(rows) samples of each: \(Int(samples)) samples")
        Self.show("disk, as recorded", Double(try store.usedBytes()) / samples, "bytes a sample")
        try store.transaction { () throws(DatabaseError) in for node in nodes { try store.seal(node) } }
        Self.show("disk, all in chunks", Double(try store.usedBytes()) / samples, "bytes a sample")
        Self.show("CPU", Double(cpuUsed) / samples / 1000, "µs a sample")
        Self.show("CPU and disk", Double(wallUsed) / samples / 1000, "µs a sample")
        Self.show("slowest commit", Double(slowest) / 1e6, "ms")
        Self.show("memory", Double(Resident.bytes() - before) / Double(1 << 20), "MiB more than at the beginning")
        try read(path, node: nodes[0])
    }

    /// A node's last 15 minutes, decoded.
    private func read(_ path: String, node: Int64) throws {
        let began = MonotonicClock.nowNanoseconds()
        let reader = try BlackBoxReader(path: BlackBoxFile.path(in: path))
        let until = (Self.startSeconds + Int64(rows) * Self.secondsPerRow) * 1_000_000_000
        var count = 0
        try reader.samples(of: node, fromNanoseconds: until - 900_000_000_000, untilNanoseconds: until) { _, chunk in
            count += chunk.valueBits.count
        }
        Self.show(
            "15 minutes of a node read", Double(MonotonicClock.nowNanoseconds() - began) / 1e6, "ms, \(count) samples")
    }

    private static func show(_ name: String, _ value: Double, _ unit: String) {
        let rounded = (value * 1000).rounded() / 1000
        print("  \(name): \(rounded) \(unit)")
    }

    /// By agent and row, as the agents send them.
    private func values() -> [[[UInt64]]] {
        var settings = FleetSettings()
        settings.agentCount = min(agents, Self.distinctAgents)
        settings.seriesCount = series
        let listing = ValueListing(settings)
        var columns = [[[UInt64]]](repeating: [], count: settings.agentCount)
        // Some rows more than are recorded, for the nodes that are shifted.
        for row in 0..<rows {
            var bits: [UInt64] = []
            listing.write(nowSeconds: Self.startSeconds + Int64(row) * Self.secondsPerRow) { line in
                let fields = line.split(separator: " ").suffix(2)
                bits.append((fields.first.flatMap { Double($0) } ?? 0).bitPattern)
            }
            for agent in columns.indices { columns[agent].append(Array(bits[agent * series..<(agent + 1) * series])) }
        }
        return columns
    }

    /// A `series` record's payload of no more than its head: what stands in a table makes no difference here.
    private static func table(_ series: Int) -> [UInt8] { [UInt8](repeating: 1, count: 100 * series) }
}

private enum CPUTime {
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

private enum Resident {
    static func bytes() -> Int { ProcessUsage(pid: getpid())?.residentBytes ?? 0 }
}
