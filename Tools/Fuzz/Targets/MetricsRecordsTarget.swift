// SPDX-License-Identifier: Apache-2.0
import Platform

@testable import Metrics

// Records of metrics as a hostile worker writes them: tables, samples and windows of up to three agents, straight into
// what renders them. An input is, for each agent, flags, the table and the sample or the window.

extension FuzzTarget {
    static let metricsRecords = FuzzTarget("metrics-records", seeds: try MetricsRecords.seeds()) { bytes in
        try MetricsRecords.take(bytes)
    }
}

private enum MetricsRecords {
    private static let agents = ["a", "b", "c"]

    static func take(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        var snapshots: [AgentSnapshot] = []
        var windows: [WindowAgent] = []
        var isSliced = false
        for (index, name) in agents.enumerated() where !input.isAtEnd {
            let flags = input.byte()
            let isWindow = flags & 1 == 1
            isSliced = isSliced || flags & 2 == 2
            let (tableBytes, recordBytes) = (input.piece(), input.piece())
            guard let table = SeriesTable(payload: tableBytes.span.bytes) else { continue }
            try hold(SeriesTable.number(of: tableBytes.span.bytes) == table.number, "a table with two numbers")
            if isWindow {
                guard let batch = WindowBatch(payload: recordBytes.span.bytes, table: table) else { continue }
                windows.append(
                    WindowAgent(agentID: "agent-\(name)", role: "ROLE_DATA", podName: "pod-\(name)", batches: [batch]))
            } else {
                guard let sample = Sample(payload: recordBytes.span.bytes, table: table) else { continue }
                snapshots.append(
                    AgentSnapshot(
                        agentID: "agent-\(name)", role: "ROLE_DATA", podName: "pod-\(name)", order: UInt64(index),
                        table: table, sample: sample))
            }
        }
        try Rendering.check(snapshots, isSliced: isSliced)
        try Rendering.check(windows: windows, isSliced: isSliced)
    }

    static func seeds() throws -> [[UInt8]] {
        let sent = MetricsSeeds.wire(
            MetricsSeeds.sample(
                [
                    ("lat_seconds_bucket", ["le": "0.5"], 1), ("lat_seconds_bucket", ["le": "x"], 2),
                    ("lat_seconds_count", [:], 2), ("up", ["pod_name": "pod-z", "v": "a\"b"], 1),
                ], type: .histogram, seconds: [1, 2]))
        var seeds: [[UInt8]] = []
        for count in 1...3 {
            var seed = SeedWriter()
            for agent in agents.prefix(count) {
                let isWindow = agent == "c"
                let series = AgentSeries(
                    limits: SeriesLimits(), hashKey: (1, 2),
                    enrichment: Enrichment(podName: "pod-\(agent)", nodeRole: "ROLE_DATA", labels: ["zone": "z"]))
                seed.byte(isWindow ? 3 : 0)
                if isWindow {
                    let columns = try series.decodeWindow(sent.span.bytes, receivedAtNanoseconds: 1)
                    seed.piece(SpanBytes.made(series.tableByteCount) { series.writeTable(into: &$0) })
                    seed.piece(SpanBytes.made(columns.byteCount) { columns.write(into: &$0) })
                } else {
                    _ = try series.decodeLatest(sent.span.bytes, receivedAtNanoseconds: 1)
                    seed.piece(SpanBytes.made(series.tableByteCount) { series.writeTable(into: &$0) })
                    seed.piece(SpanBytes.made(series.sampleByteCount) { series.writeSample(into: &$0) })
                }
            }
            seeds.append(seed.bytes)
        }
        return seeds
    }
}
