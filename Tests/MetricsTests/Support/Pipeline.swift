// SPDX-License-Identifier: Apache-2.0
@testable import Metrics

/// The way of an answer through the library, without the processes in between.
enum Pipeline {
    static let hashKey: (UInt64, UInt64) = (0x1234_5678_9abc_def0, 0x0fed_cba9_8765_4321)
    static let receivedAt: Int64 = 1_700_000_000_000_000_000
    static let plain = Enrichment(podName: "pod-a", nodeRole: "ROLE_DATA", labels: [:])

    static func series(
        _ enrichment: Enrichment = plain, limits: SeriesLimits = SeriesLimits(), usesAES: Bool = AESHasher.isSupported
    ) -> AgentSeries {
        AgentSeries(limits: limits, hashKey: hashKey, enrichment: enrichment, firstTableNumber: 1, usesAES: usesAES)
    }

    static func bytes(_ count: Int, _ write: (inout OutputRawSpan) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var output = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
            write(&output)
            initialized = output.finalize(for: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    static func tablePayload(_ series: AgentSeries) -> [UInt8] {
        bytes(series.tableByteCount) { series.writeTable(into: &$0) }
    }

    static func samplePayload(_ series: AgentSeries) -> [UInt8] {
        bytes(series.sampleByteCount) { series.writeSample(into: &$0) }
    }

    static func table(_ payload: [UInt8]) -> SeriesTable? { SeriesTable(payload: payload.span.bytes) }

    static func sample(_ payload: [UInt8], _ table: SeriesTable) -> Sample? {
        Sample(payload: payload.span.bytes, table: table)
    }

    static func decodeWindow(_ series: AgentSeries, _ metrics: [TestMetric]) throws -> WindowColumns {
        let message = TestMetric.message(metrics)
        return try series.decodeWindow(message.span.bytes, receivedAtNanoseconds: receivedAt)
    }

    static func decode(_ series: AgentSeries, _ message: [UInt8]) throws -> DecodeSummary {
        try series.decodeLatest(message.span.bytes, receivedAtNanoseconds: receivedAt)
    }

    static func snapshot(
        _ series: AgentSeries, id: String = "agent-a", role: String = "ROLE_DATA", podName: String = "pod-a",
        order: UInt64 = 1
    ) -> AgentSnapshot? {
        let tableBytes = tablePayload(series)
        let sampleBytes = samplePayload(series)
        guard let table = SeriesTable(payload: tableBytes.span.bytes),
            let sample = Sample(payload: sampleBytes.span.bytes, table: table)
        else { return nil }
        return AgentSnapshot(agentID: id, role: role, podName: podName, order: order, table: table, sample: sample)
    }

    /// An agent that has answered with these metrics.
    static func agent(
        _ metrics: [TestMetric], pod: String = "pod-a", role: String = "ROLE_DATA", order: UInt64 = 1
    ) throws -> AgentSnapshot {
        let series = series(Enrichment(podName: pod, nodeRole: role, labels: [:]))
        _ = try decode(series, TestMetric.message(metrics))
        guard let snapshot = snapshot(series, id: "agent-\(pod)-\(order)", role: role, podName: pod, order: order)
        else {
            throw PipelineError.payloadRefused
        }
        return snapshot
    }

    static func text(
        _ snapshot: FamilySnapshot, filter: SeriesFilter? = nil, extra: [ExtraFamily] = [], chunk: Int = 1 << 16
    ) -> String {
        var cursor = ExpositionCursor(snapshot: snapshot, filter: filter, extraFamilies: extra)
        return collect(chunk: chunk) { cursor.render(into: &$0) }
    }

    static func text(
        _ agents: [AgentSnapshot], filter: SeriesFilter? = nil, extra: [ExtraFamily] = [], chunk: Int = 1 << 16
    ) -> String {
        text(FamilyIndex().update(with: agents), filter: filter, extra: extra, chunk: chunk)
    }

    static func collect(chunk: Int, _ render: (inout OutputRawSpan) -> Bool) -> String {
        var all: [UInt8] = []
        var isDone = false
        while !isDone { all += bytes(chunk) { isDone = render(&$0) } }
        return String(decoding: all, as: UTF8.self)
    }

    static func windowBatch(_ columns: WindowColumns, _ series: AgentSeries) throws -> WindowBatch {
        let tableBytes = tablePayload(series)
        let payload = bytes(columns.byteCount) { columns.write(into: &$0) }
        guard let table = SeriesTable(payload: tableBytes.span.bytes),
            let batch = WindowBatch(payload: payload.span.bytes, table: table)
        else { throw PipelineError.payloadRefused }
        return batch
    }

    /// Lines that are samples.
    static func samples(_ text: String) -> [String] {
        text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    }

    enum PipelineError: Error { case payloadRefused }
}
