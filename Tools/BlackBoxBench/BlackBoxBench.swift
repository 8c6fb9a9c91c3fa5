// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BlackBox
import Database
import Glibc
import Metrics
import Platform
import RingMessages

/// `make bench-black-box`: what the black box costs, on values that move as those of BanyanDB's nodes do.
@main
struct BlackBoxBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "BlackBoxBench",
        abstract: "Records simulated agents in a black box, and prints what a sample costs of disk, CPU and memory.")

    @Option(help: "Nodes that are recorded.") var agents = 100
    @Option(help: "Series of each.") var series = 2000
    @Option(help: "Samples of each node, one every ten seconds.") var rows = 128
    @Option(help: "Incidents, of all nodes in turns.") var incidents = 1000
    @Option(help: "A folder on the disk that is to be measured.") var folder = "/tmp"
    @Option(help: "Keeps the database, in this folder, which must exist.") var keep: String?

    /// Nodes with values of their own; the others repeat them, shifted in time.
    private static let distinctAgents = 4

    func run() throws {
        let start = WallClock.nowNanoseconds() / 1_000_000_000 - Int64(rows) * SimulatedColumns.secondsPerRow
        let columns = try SimulatedColumns(
            agents: min(agents, Self.distinctAgents), series: series, rows: rows, startSeconds: start
        ).agents
        let before = Resident.bytes()
        let path = try keep ?? temporaryFolder()
        defer { if keep == nil { Self.remove(path) } }
        let store = try BlackBoxStore(folder: path)
        let nodes = try Self.store(columns, agents: agents, series: series, store)
        let (wall, cpu) = (MonotonicClock.nowNanoseconds(), CPUTime.nanoseconds())
        var slowest: UInt64 = 0
        for row in 0..<rows {
            let began = MonotonicClock.nowNanoseconds()
            try store.transaction { () throws(DatabaseError) in
                for (place, node) in nodes.enumerated() {
                    // Shifted by whole rows, so that neighbours are not equal.
                    let rows = columns[place % columns.count].rows
                    let seconds = start + Int64(row) * SimulatedColumns.secondsPerRow
                    try store.append(
                        SampleColumns(
                            receivedAtNanoseconds: seconds * 1_000_000_000 + Int64(place) * 1_000_003,
                            commonTimeMicroseconds: seconds * 1_000_000,
                            valueBits: rows[(row + place / columns.count) % rows.count], timesMicroseconds: []),
                        node: node.id, table: node.table)
                }
            }
            slowest = max(slowest, MonotonicClock.nowNanoseconds() - began)
        }
        let (wallUsed, cpuUsed) = (MonotonicClock.nowNanoseconds() - wall, CPUTime.nanoseconds() - cpu)
        let samples = Double(agents * series * rows)
        print("\(agents) nodes, \(series) series, \(rows) samples of each: \(Int(samples)) samples")
        Figure.show("disk, as recorded", Double(try store.usedBytes()) / samples, "bytes a sample")
        let recorded = try StoredBytes(path)
        try store.transaction { () throws(DatabaseError) in for node in nodes { try store.seal(node.id) } }
        Figure.show("disk, all in chunks", Double(try store.usedBytes()) / samples, "bytes a sample")
        Figure.show("  without SQLite's share", Double(try StoredBytes(path).inChunks) / samples, "bytes a sample")
        Figure.show(
            "  while in no chunk yet", Double(recorded.recent) / Double(max(1, Int(recorded.recentCount) * series)),
            "bytes a sample")
        Figure.show("CPU", Double(cpuUsed) / samples / 1000, "µs a sample")
        Figure.show("CPU and disk", Double(wallUsed) / samples / 1000, "µs a sample")
        Figure.show("slowest commit", Double(slowest) / 1e6, "ms")
        Figure.show("memory", Double(Resident.bytes() - before) / Double(1 << 20), "MiB more than at the beginning")
        try Self.store(incidents: incidents, of: columns, nodes.map(\.id), from: start, store)
        try BoxReading(path: BlackBoxFile.path(in: path)).show(podName: Self.podName(0, columns))
    }

    private static func store(
        _ columns: [SimulatedColumns.Agent], agents: Int, series: Int, _ store: BlackBoxStore
    ) throws -> [(id: Int64, table: StoredTable)] {
        var nodes: [(id: Int64, table: StoredTable)] = []
        try store.transaction { () throws(DatabaseError) in
            for index in 0..<agents {
                let node = NodeRecord(
                    identity: AgentIdentity(podName: podName(index, columns), containerNames: []), agentID: "",
                    role: "ROLE_DATA", labels: [], address: "")
                let table = try store.storeTable(columns[index % columns.count].table, seriesCount: series)
                nodes.append((try store.storeNode(node, seenAtNanoseconds: 1), table))
            }
        }
        return nodes
    }

    private static func podName(_ index: Int, _ columns: [SimulatedColumns.Agent]) -> String {
        index < columns.count ? columns[index].podName : "pod-\(index)"
    }

    private static func store(
        incidents count: Int, of columns: [SimulatedColumns.Agent], _ nodes: [Int64], from start: Int64,
        _ store: BlackBoxStore
    ) throws {
        var tracker = IncidentTracker()
        try store.transaction { () throws(DatabaseError) in
            for number in 0..<count {
                let node = number % nodes.count
                let kind = IncidentKind.allCases[number % IncidentKind.allCases.count]
                let change = tracker.happen(
                    .init(kind, "subject-\(number)"),
                    .init(
                        nodeID: nodes[node], podName: podName(node, columns), role: "ROLE_DATA",
                        cause: "registration lost: stream closed"),
                    at: start * 1_000_000_000 + Int64(number) * 1_000_000)
                try store.storeIncident(change.incident, neighbours: [nodes[(node + 1) % nodes.count]])
            }
        }
    }

    private func temporaryFolder() throws -> String {
        var template = Array("\(folder)/fodc-black-box-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp in \(folder)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func remove(_ path: String) {
        for name in (try? FolderListing.names(in: path)) ?? [] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

/// Bytes of stored samples, without what SQLite adds.
private struct StoredBytes {
    var inChunks: Int64
    var recent: Int64
    var recentCount: Int64

    init(_ path: String) throws {
        let database = try Database(path: BlackBoxFile.path(in: path), access: .readOnly)
        inChunks = try database.integer("SELECT total(length(data)) FROM sample_chunks") ?? 0
        recent = try database.integer("SELECT total(length(data)) FROM recent_samples") ?? 0
        recentCount = try database.integer("SELECT count(*) FROM recent_samples") ?? 0
    }
}

private enum CPUTime {
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

private enum Resident {
    static func bytes() -> Int { OwnProcess.current.usage()?.residentBytes ?? 0 }
}
