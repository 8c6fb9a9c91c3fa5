// SPDX-License-Identifier: Apache-2.0
import BlackBox
import FODCProtocol
import Glibc
import Logging
import Metrics
import Platform
import RingMessages
import TestSupport

@testable import RecorderCore
@testable import Rings

/// The data ring of an ingest worker, written by the test.
final class RingUnderRecording {
    let index: Int
    let descriptor: Int32
    private(set) var ring: RingWriter
    private var series: [SlotRef: AgentSeries] = [:]
    private var published: [SlotRef: UInt32] = [:]

    init(_ index: Int = 0, ringBytes: Int = 1 << 20) throws {
        self.index = index
        descriptor = try RingFile.create(name: "test-up", kind: .data)
        ring = try RingWriter.format(
            descriptor: descriptor, kind: .data, index: index, generation: 1, maximumRingBytes: ringBytes,
            initialRingBytes: ringBytes)
    }

    deinit { MemoryFile.close(descriptor) }

    /// For a recorder: its own to close.
    func readable() throws -> Int32 { try MemoryFile.reopenReadOnly(descriptor) }

    @discardableResult
    func enter(
        _ pod: String, role: String = "ROLE_DATA", status: AgentStatus = .online, id: AgentID = .random()
    ) throws -> SlotRef {
        guard let slot = ring.claimSlot() else { throw RingError.full }
        set(slot, id: id, status: status)
        series[slot] = AgentSeries(
            limits: SeriesLimits(), hashKey: (1, 2),
            enrichment: Enrichment(podName: pod, nodeRole: role, labels: [:]), firstTableNumber: 1)
        let record = IdentityRecord(
            id: id, identity: AgentIdentity(podName: pod, containerNames: ["data"]), role: role, labels: [],
            peer: "127.0.0.1:1", registeredAtNanoseconds: 1)
        try ring.append(.identity, agent: slot, isCurrent: true, record.payload.span.bytes)
        return slot
    }

    func set(
        _ slot: SlotRef, id: AgentID? = nil, status: AgentStatus, quarantinedUntil: UInt64 = 0,
        departure: DepartureCause = .unknown, since: UInt64 = 0
    ) {
        let known = ids[slot]
        ids[slot] = id ?? known
        var entry = AgentEntry(id: id ?? known ?? AgentID(high: 1, low: 1), status: status, registeredAtNanoseconds: 1)
        entry.quarantinedUntilNanoseconds = quarantinedUntil
        entry.departure = departure
        entry.statusSinceNanoseconds = since
        ring.setEntry(entry, at: slot)
    }

    private var ids: [SlotRef: AgentID] = [:]

    func leave(_ slot: SlotRef) { ring.releaseSlot(slot) }

    /// An answer with these series.
    /// - Returns: the values as they stand in the record.
    @discardableResult
    func sample(_ values: [(name: String, value: Double)], of slot: SlotRef, at receivedAt: Int64) throws -> [UInt64] {
        guard let series = series[slot] else { return [] }
        let message = values.flatMap { Self.metric($0.name, $0.value) }
        try latest(message.span.bytes, of: slot, at: receivedAt)
        let payload = [UInt8](unsafeUninitializedCapacity: series.sampleByteCount) { buffer, count in
            var span = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
            series.writeSample(into: &span)
            count = span.finalize(for: UnsafeMutableRawBufferPointer(buffer))
        }
        return SampleColumns(payload: payload.span.bytes)?.valueBits ?? []
    }

    private func publishTable(_ series: AgentSeries, _ slot: SlotRef) throws {
        guard published[slot] != series.tableNumber else { return }
        published[slot] = series.tableNumber
        try ring.append(
            .series, agent: slot, subject: UInt64(series.tableNumber), byteCount: series.tableByteCount, isCurrent: true
        ) { series.writeTable(into: &$0) }
    }

    private func latest(_ message: RawSpan, of slot: SlotRef, at receivedAt: Int64) throws {
        guard let series = series[slot] else { return }
        _ = try series.decodeLatest(message, receivedAtNanoseconds: receivedAt)
        try publishTable(series, slot)
        try ring.append(.sample, agent: slot, byteCount: series.sampleByteCount, isCurrent: true) {
            series.writeSample(into: &$0)
        }
    }

    /// An answer with the newest values.
    func latest(_ message: Banyandb_Fodc_V1_StreamMetricsRequest, of slot: SlotRef, at receivedAt: Int64) throws {
        let bytes: [UInt8] = try message.serializedBytes()
        try latest(bytes.span.bytes, of: slot, at: receivedAt)
    }

    /// An answer to a window.
    func window(_ message: Banyandb_Fodc_V1_StreamMetricsRequest, of slot: SlotRef, at receivedAt: Int64) throws {
        guard let series = series[slot] else { return }
        let bytes: [UInt8] = try message.serializedBytes()
        let columns = try series.decodeWindow(bytes.span.bytes, receivedAtNanoseconds: receivedAt)
        try publishTable(series, slot)
        try ring.append(.window, agent: slot, generation: 1, number: 1, byteCount: columns.byteCount) {
            columns.write(into: &$0)
        }
    }

    func append(
        _ type: RecordType, _ bytes: [UInt8], of slot: SlotRef, generation: UInt64 = 1, number: UInt64,
        subject: UInt64 = 0
    ) throws {
        try ring.append(
            type, agent: slot, generation: generation, number: number, subject: subject, bytes.span.bytes)
    }

    func answer(_ type: RecordType, _ bytes: [UInt8], of slot: SlotRef, subject: UInt64 = 0, at time: UInt64) throws {
        try ring.append(
            type, agent: slot, number: time, subject: subject, isCurrent: true, bytes.span.bytes)
    }

    static func pressureList(_ ids: [String]) throws -> [UInt8] {
        var list = MessageList()
        for id in ids {
            let message = Banyandb_Fodc_V1_StreamPressureProfilesRequest.with {
                $0.record.profileID = id
                $0.record.rssBytes = 900
                $0.record.cgroupLimitBytes = 1000
                $0.record.thresholdBytes = 800
                $0.record.capturedAt.seconds = 1_796_000_900
                $0.record.profiles = [.with { $0.type = "heap" }, .with { $0.type = "goroutine" }]
            }
            let bytes: [UInt8] = try message.serializedBytes()
            list.append(bytes.span.bytes)
        }
        return list.bytes
    }

    private static func metric(_ name: String, _ value: Double) -> [UInt8] {
        let bits = value.bitPattern
        let metric =
            [0x0a, UInt8(name.utf8.count)] + Array(name.utf8) + [0x19]
            + (0..<8).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
        return [0x0a, UInt8(metric.count)] + metric
    }
}

/// A recorder over a folder of its own, whose clocks the test turns.
final class RecorderUnderTest {
    let folder = memoryFolder()
    private(set) var recorder: Recorder
    private var settings: RecorderSettings
    /// Both clocks, in nanoseconds; the wall clock is ahead.
    var now: UInt64 = 1_000_000_000_000
    static let wallAhead: Int64 = 1_796_000_000_000_000_000

    var wall: Int64 { Int64(now) + Self.wallAhead }

    init(intervalSeconds: Int64 = 10, maximumBytes: Int64 = 1 << 30) {
        settings = RecorderSettings(
            folder: folder, intervalNanoseconds: intervalSeconds * 1_000_000_000, graceNanoseconds: 15_000_000_000,
            limits: .init(
                maximumBytes: maximumBytes, maximumAgeNanoseconds: 604_800_000_000_000, profileBytes: 1 << 20,
                incidentCount: 100))
        recorder = Recorder(settings: settings, logger: Logger(label: "test"))
        setClocks()
    }

    private func setClocks() {
        recorder.monotonic = { [unowned self] in now }
        recorder.wall = { [unowned self] in wall }
    }

    /// Another process: what is not in the files is gone.
    func restart(_ rings: [RingUnderRecording]) throws {
        // The old one lets go of its lock when it is gone.
        recorder = Recorder(settings: settings, logger: Logger(label: "test"))
        setClocks()
        try follow(rings)
    }

    func watch(_ control: WorkerTableReader) {
        recorder = Recorder(settings: settings, control: control, logger: Logger(label: "test"))
        setClocks()
    }

    func follow(_ rings: [RingUnderRecording]) throws {
        for ring in rings { recorder.addRing(ring.index, descriptor: try ring.readable()) }
    }

    func pass(seconds: UInt64) { now += seconds * 1_000_000_000 }

    func turn() { while recorder.turn() {} }

    func reader() throws -> BlackBoxReader { try BlackBoxReader(path: BlackBoxFile.path(in: folder)) }

    func values(_ pod: String) throws -> [[UInt64]] {
        let reader = try reader()
        var values: [[UInt64]] = []
        for node in try reader.nodes(podName: pod) {
            try reader.samples(of: node.id, fromNanoseconds: .min, untilNanoseconds: .max) { _, chunk in
                values += chunk.rows.indices.map { chunk.sample($0).valueBits }
            }
        }
        return values
    }

    func incidents() throws -> [Incident] { try reader().incidents(limit: 1000) }

    deinit {
        for name in (try? FolderListing.names(in: folder)) ?? [] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }
}
