// SPDX-License-Identifier: Apache-2.0
import BlackBoxReports
import Glibc
import Platform
import RingMessages

@testable import BlackBox
@testable import Database
@testable import Metrics

// A black box whose file somebody has changed. An input is a flag, and changes of a small one that is made once: with the
// flag changes of its bytes (place and bytes), which SQLite finds or not; without it values of other kinds in its rows.

extension FuzzTarget {
    static let blackBox = FuzzTarget("black-box", limitBytes: 1024, seeds: BlackBoxRun.seeds) { bytes in
        let folder = try FuzzFolder()
        defer { folder.remove() }
        var input = FuzzInput(bytes)
        try BlackBoxRun.take(&input, in: folder.path)
    }
}

private enum BlackBoxRun {
    /// Columns whose values are taken apart when they are read.
    private static let columns: [(table: String, column: String)] = [
        ("sample_chunks", "data"), ("sample_chunks", "series_table_id"), ("sample_chunks", "first_at"),
        ("sample_chunks", "last_at"), ("sample_chunks", "node_id"), ("recent_samples", "data"),
        ("recent_samples", "series_table_id"), ("recent_samples", "number"), ("recent_samples", "received_at"),
        ("series_tables", "data"), ("series_tables", "series_count"), ("series_tables", "byte_count"),
        ("nodes", "labels"), ("nodes", "container_names"), ("nodes", "gone_at"), ("nodes", "gone_count"),
        ("nodes", "last_seen_at"), ("incidents", "opened_at"), ("incidents", "last_at"), ("incidents", "closed_at"),
        ("incidents", "occurrence_count"), ("incidents", "kind"), ("incidents", "node_id"), ("pins", "from_at"),
        ("pins", "until_at"), ("profiles", "data"), ("profiles", "captured_at"), ("profiles", "record"),
        ("states", "data"), ("states", "since"), ("states", "hash"), ("crash_records", "data"),
        ("crash_records", "received_at"), ("ring_positions", "position"), ("properties", "value"),
        ("sample_gaps", "from_at"), ("sample_gaps", "until_at"), ("sample_gaps", "clock_offset"),
    ]

    static func take(_ input: inout FuzzInput, in folder: String) throws {
        let changesBytes = input.flag()
        var bytes = template
        if changesBytes {
            while !input.isAtEnd {
                let place = Int(input.byte()) | Int(input.byte()) << 8 | Int(input.byte()) << 16
                for byte in input.bytes(1 + Int(input.byte() & 15)) where place < bytes.count {
                    bytes[place] = byte
                }
            }
        }
        let path = BlackBoxFile.path(in: folder)
        try SmallFile.replace(path, with: bytes, mode: 0o600)
        if !changesBytes {
            let database = try Database(path: path, access: .readWrite)
            try database.execute("PRAGMA synchronous = OFF")
            while !input.isAtEnd { change(&input, database) }
        }
        // A file that cannot be read says so; all that is read of it is in order.
        do throws(DatabaseError) { try read(path) } catch { try hold(!error.reason.isEmpty, "an error without a word") }
        do throws(DatabaseError) { try goOn(folder) } catch {
            try hold(!error.reason.isEmpty, "an error without a word")
        }
    }

    /// Another value in one row or in all rows of a column.
    private static func change(_ input: inout FuzzInput, _ database: Database) {
        let (table, column) = columns[input.below(columns.count)]
        let value: Value =
            switch input.below(5) {
            case 0: .null
            case 1: .integer(Int64(bitPattern: input.word()))
            case 2: .text(input.text())
            case 3: .bytes(input.piece())
            default: .integer([.min, .max, 0, -1, 1 << 32][input.below(5)])
            }
        let rows = input.flag() ? "" : " WHERE rowid = (SELECT max(rowid) FROM \(table))"
        // A rule of the table may forbid it (NOT NULL, UNIQUE, a table without rowid): then it stays as it is.
        _ = try? database.run("UPDATE \(table) SET \(column) = ?\(rows)", value)
    }

    private static func read(_ path: String) throws(DatabaseError) {
        let reader = try BlackBoxReader(path: path)
        let nodes = try reader.nodes()
        for node in nodes {
            _ = try reader.extent(of: node.id)
            _ = try reader.profile(of: node.id, profileID: "p", type: "heap")
        }
        for format in [.openMetrics, .prometheus] as [SeriesHistory.Format] {
            var query = ExportQuery(
                nodes: nodes, fromNanoseconds: .min, untilNanoseconds: .max, format: format)
            query.maximumPoints = 8
            try reader.write(try reader.plan(query)) { !$0.isEmpty }
            (query.fromNanoseconds, query.untilNanoseconds) = (15_000_000_000, 25_000_000_000)
            try reader.write(try reader.plan(query)) { _ in true }
        }
        _ = (try reader.overviews(), try reader.missingProfiles(limit: 10), try reader.missingMinutes(limit: 10))
        for incident in try reader.incidents(limit: 100) { _ = try reader.incident(incident.id) }
        try report(reader, nodes)
    }

    /// The exporter's answers about it.
    private static func report(_ reader: BlackBoxReader, _ nodes: [StoredNode]) throws(DatabaseError) {
        _ = try NodesReport.json(reader)
        _ = try IncidentsReport.json(IncidentQuery(), reader)
        for incident in try reader.incidents(limit: 2) {
            _ = try IncidentsReport.json(ofIncident: incident.id, reader)
            _ = try ChangesReport.json(ofIncident: incident.id, reader)
            try IncidentBundle(of: incident.id, reader, maximumPoints: 8)?.write { !$0.isEmpty }
        }
        let ranges: [(Int64, Int64)] = [(.min, .max), (15_000_000_000, 25_000_000_000)]
        for (from, until) in ranges where !nodes.isEmpty {
            do throws(NodeSummary.Failure) {
                _ = try NodeSummary(nodes, fromNanoseconds: from, untilNanoseconds: until, reader)
            } catch {
                if case .database(let error) = error { throw error }
            }
        }
    }

    /// A recorder that begins with it.
    private static func goOn(_ folder: String) throws(DatabaseError) {
        let store = try BlackBoxStore(folder: folder)
        try store.database.execute("PRAGMA synchronous = OFF")
        var tracker = IncidentTracker(continuing: try store.incidents(openOrSinceNanoseconds: 0))
        try store.transaction { () throws(DatabaseError) in
            for node in try store.nodes() {
                _ = try store.lastSampleNanoseconds(of: node.id)
                _ = try store.latestState(of: node.id, kind: "topology")
                try store.seal(node.id)
                try store.noteNodeGone(node.id, atNanoseconds: 5, cause: .keepalive)
                let change = tracker.happen(
                    .init(.nodeGone, node.podName), .init(nodeID: node.id, podName: node.podName, cause: "gone"), at: 5)
                try store.storeIncident(change.incident)
            }
            _ = try store.ringPosition(worker: 0)
            let limits = RetentionLimits(
                maximumBytes: 1, maximumAgeNanoseconds: 1, profileBytes: 0, incidentCount: 1)
            for _ in 0..<3 { _ = try store.dropExcess(limits, nowNanoseconds: 40_000_000_000, inUse: []) }
        }
    }

    // MARK: A black box

    /// Two samples in a chunk, two in none, and one of everything else.
    private static let template: [UInt8] = {
        do {
            let folder = try FuzzFolder()
            defer { folder.remove() }
            try fill(folder.path)
            return try SmallFile.read(BlackBoxFile.path(in: folder.path), limitBytes: 1 << 20)
        } catch {
            preconditionFailure("a black box can be made: \(error)")
        }
    }()

    private static func fill(_ folder: String) throws {
        let store = try BlackBoxStore(folder: folder)
        let sent = MetricsSeeds.wire(MetricsSeeds.sample([("up", [:], 1), ("b_total", ["x": "y"], 2)]))
        let series = AgentSeries(
            limits: SeriesLimits(), hashKey: (1, 2),
            enrichment: Enrichment(podName: "pod-a", nodeRole: "ROLE_DATA", labels: ["zone": "z"]))
        _ = try series.decodeLatest(sent.span.bytes, receivedAtNanoseconds: 1)
        let payload = SpanBytes.made(series.tableByteCount) { series.writeTable(into: &$0) }
        try store.transaction { () throws(DatabaseError) in
            let node = try store.storeNode(
                NodeRecord(
                    identity: AgentIdentity(podName: "pod-a", containerNames: ["data"]), agentID: "id",
                    role: "ROLE_DATA",
                    labels: [AgentLabel(key: "zone", value: "z")], address: "10.0.0.1:1"), seenAtNanoseconds: 1)
            let table = try store.storeTable(payload, seriesCount: series.seriesCount)
            for second in Int64(1)...4 {
                try store.append(
                    SampleColumns(
                        receivedAtNanoseconds: second * 10_000_000_000, commonTimeMicroseconds: second * 10_000_000,
                        valueBits: (0..<series.seriesCount).map { Double($0).bitPattern }, timesMicroseconds: []),
                    node: node, table: table)
                if second == 2 { try store.seal(node) }
            }
            try store.storeState([1, 2, 3], of: node, kind: "topology", sinceNanoseconds: 1)
            _ = try store.storeCrashRecord([4, 5], of: node, subject: 6, receivedAtNanoseconds: 7)
            _ = try store.storeListing(
                ListedProfile(profileID: "p", type: "heap", capturedAtNanoseconds: 8, record: [9]), of: node,
                listedAtNanoseconds: 9)
            try store.storeProfileBytes([10, 11], of: node, profileID: "p", type: "heap")
            var tracker = IncidentTracker()
            if let change = tracker.begin(
                .init(.nodeGone, "pod-a"), .init(nodeID: node, podName: "pod-a", cause: "gone"), at: 12)
            {
                try store.storeIncident(change.incident)
            }
            try store.setRingPosition(.init(begunAtNanoseconds: 1, position: 2), worker: 0)
        }
    }

    static let seeds: [[UInt8]] = {
        var rows = SeedWriter(0)
        rows.byte(7)
        rows.byte(4)
        rows.byte(1)
        rows.byte(1)
        var texts = SeedWriter(0)
        texts.byte(14)
        texts.byte(2)
        texts.text("{}")
        texts.byte(0)
        var header = SeedWriter(1)
        for byte in [0, 16, 0, 3, 1, 0, 1] as [UInt8] { header.byte(byte) }
        // Each number as far out as it goes.
        let extremes = columns.indices.flatMap { column in
            ([0, 1] as [UInt8]).map { extreme in
                var seed = SeedWriter(0)
                seed.byte(UInt8(column))
                for byte in [4, extreme, 1] { seed.byte(byte) }
                return seed.bytes
            }
        }
        return [[0], [1], rows.bytes, texts.bytes, header.bytes] + extremes
    }()
}

/// A new empty folder, in memory where there is such a file system.
private struct FuzzFolder {
    let path: String

    init() throws(SystemError) {
        for parent in ["/dev/shm", "/tmp"] {
            var template = Array("\(parent)/fodc-fuzz-XXXXXX".utf8CString)
            // The template is this array, which outlives the call.
            guard mkdtemp(&template) != nil else { continue }
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return
        }
        throw SystemError.last("mkdtemp")
    }

    func remove() {
        for name in (try? FolderListing.names(in: path)) ?? [] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}
