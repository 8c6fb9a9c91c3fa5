// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Glibc
import Metrics
import Platform
import RingMessages
import TestSupport

let second: Int64 = 1_000_000_000
/// 2026-11-30T00:00:00Z: when what the tests record begins.
let beginSeconds: Int64 = 1_795_996_800

/// A black box in a folder of its own, removed with the object.
final class RecordedBox {
    let folder = memoryFolder()
    let store: BlackBoxStore

    init() throws {
        store = try BlackBoxStore(folder: folder)
    }

    func reader() throws -> BlackBoxReader { try BlackBoxReader(path: BlackBoxFile.path(in: folder)) }

    /// A node that sends the metrics every 10 s; `value` is called with the metric's place and the sample's.
    @discardableResult
    func record(
        _ pod: String, _ metrics: [String], samples: Int, value: (_ metric: Int, _ sample: Int) -> Double
    ) throws -> Int64 {
        let record = NodeRecord(
            identity: AgentIdentity(podName: pod, containerNames: ["data"]), agentID: "id-of-\(pod)", role: "ROLE_DATA",
            labels: [AgentLabel(key: "zone", value: "a\"b")], address: "10.0.0.1:1")
        // Tables are sorted by name.
        let sorted = metrics.indices.sorted { metrics[$0] < metrics[$1] }
        return try store.transaction { () throws(DatabaseError) in
            let node = try store.storeNode(record, seenAtNanoseconds: beginSeconds * second)
            let table = try store.storeTable(Self.table(sorted.map { metrics[$0] }, pod), seriesCount: metrics.count)
            for number in 0..<samples {
                let seconds = beginSeconds + Int64(number) * 10
                try store.append(
                    SampleColumns(
                        receivedAtNanoseconds: seconds * second, commonTimeMicroseconds: seconds * 1_000_000,
                        valueBits: sorted.map { value($0, number).bitPattern }, timesMicroseconds: []),
                    node: node, table: table)
            }
            return node
        }
    }

    /// Stores an incident of a node that was opened so many seconds after the beginning.
    func incident(
        _ kind: IncidentKind, _ pod: String, _ node: Int64?, at seconds: Int64, neighbours: [Int64] = [],
        isOpen: Bool = true
    ) throws -> Incident {
        var tracker = IncidentTracker(distinction: 7)
        let time = (beginSeconds + seconds) * second
        let report = IncidentTracker.Report(nodeID: node, podName: pod, role: "ROLE_DATA", cause: "stream closed")
        let change =
            isOpen
            ? tracker.begin(.init(kind, pod), report, at: time) : tracker.happen(.init(kind, pod), report, at: time)
        guard let incident = change?.incident else {
            throw DatabaseError(.other, action: "test", reason: "no incident")
        }
        try store.transaction { () throws(DatabaseError) in
            try store.storeIncident(incident, neighbours: neighbours)
        }
        return incident
    }

    private static func table(_ names: [String], _ pod: String) -> [UInt8] {
        let series = AgentSeries(
            limits: SeriesLimits(), hashKey: (1, 2),
            enrichment: Enrichment(podName: pod, nodeRole: "ROLE_DATA", labels: [:]), firstTableNumber: 1)
        let message = names.flatMap { metric($0) }
        _ = try? series.decodeLatest(message.span.bytes, receivedAtNanoseconds: 1)
        return [UInt8](unsafeUninitializedCapacity: series.tableByteCount) { buffer, count in
            var span = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
            series.writeTable(into: &span)
            count = span.finalize(for: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Field 1 of an answer: the metric, whose fields are 1 the name and 3 the value.
    private static func metric(_ name: String) -> [UInt8] {
        let metric = [0x0a, UInt8(name.utf8.count)] + Array(name.utf8) + [0x19] + [UInt8](repeating: 0, count: 8)
        return [0x0a, UInt8(metric.count)] + metric
    }

    deinit {
        for name in (try? FolderListing.names(in: folder)) ?? [] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
