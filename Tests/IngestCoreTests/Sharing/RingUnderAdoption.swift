// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Glibc
import Logging
import Metrics
import NIOEmbedded
import Platform
import RingMessages
import Rings
import Settings
import Testing
import WorkerLink

@testable import IngestCore

/// The ring of a worker that is no more, written as a worker would.
final class RingUnderAdoption {
    static let secretBytes = [UInt8](repeating: 7, count: InstallationSecret.byteCount)

    let descriptor: Int32
    let writer: RingWriter

    init() throws {
        descriptor = try RingFile.create(name: "test-removed", kind: .data)
        writer = try RingWriter.format(
            descriptor: descriptor, kind: .data, index: 3, generation: 1, maximumRingBytes: 64 << 20)
    }

    /// Writes into the ring of somebody else, who keeps it.
    init(writing writer: RingWriter, in descriptor: Int32) {
        self.descriptor = dup(descriptor)
        self.writer = writer
    }

    deinit { MemoryFile.close(descriptor) }

    func reader() throws -> RingReader { try RingReader(descriptor: descriptor, kind: .data) }

    /// - Parameter table: number of its table and names of its series; `nil`: it has not answered yet.
    @discardableResult
    func add(
        pod: String, status: AgentStatus = .unconnected, registeredAt: Int64 = 1_700_000_000_000_000_000,
        table: (number: UInt32, names: [String])? = (5, ["up"]), id: AgentID? = nil
    ) throws -> SlotRef {
        let identity = AgentIdentity(podName: pod, containerNames: ["data"])
        let secret = try #require(InstallationSecret(Self.secretBytes))
        let slot = try #require(writer.claimSlot())
        let record = IdentityRecord(
            id: id ?? identity.agentID(secret: secret), identity: identity, role: "ROLE_DATA", labels: [],
            peer: "127.0.0.1:1", registeredAtNanoseconds: registeredAt)
        writer.setEntry(
            AgentEntry(
                id: record.id, identityHash: identity.hash(secret: secret), status: status,
                registeredAtNanoseconds: registeredAt, statusSinceNanoseconds: MonotonicClock.nowNanoseconds()),
            at: slot)
        switch status {
        case .online: writer.addCounter(IngestCounter.agentsOnline.rawValue, 1)
        case .unconnected: writer.addCounter(IngestCounter.agentsUnconnected.rawValue, 1)
        case .free, .pending, .remote: break
        }
        _ = try writer.append(.identity, agent: slot, isCurrent: true, record.payload.span.bytes)
        if let table { try answer(slot, table) }
        return slot
    }

    /// Changes what the table says of an agent.
    func change(_ slot: SlotRef, _ body: (inout AgentEntry) -> Void) throws {
        var entry = try #require(writer.entry(at: slot))
        body(&entry)
        writer.setEntry(entry, at: slot)
    }

    func answer(_ slot: SlotRef, _ table: (number: UInt32, names: [String])) throws {
        let series = AgentSeries(
            limits: SeriesLimits(), hashKey: (1, 2),
            enrichment: Enrichment(podName: "p", nodeRole: "r", labels: [:]), firstTableNumber: table.number - 1)
        let message = Banyandb_Fodc_V1_StreamMetricsRequest.with {
            $0.metrics = table.names.map { name in .with { ($0.name, $0.value) = (name, 1) } }
        }
        let bytes: [UInt8] = try message.serializedBytes()
        _ = try series.decodeLatest(bytes.span.bytes, receivedAtNanoseconds: WallClock.nowNanoseconds())
        #expect(series.tableNumber == table.number)
        _ = try writer.append(
            .series, agent: slot, subject: UInt64(series.tableNumber), byteCount: series.tableByteCount, isCurrent: true
        ) { (span: inout OutputRawSpan) throws(RingError) in series.writeTable(into: &span) }
        _ = try writer.append(.sample, agent: slot, byteCount: series.sampleByteCount, isCurrent: true) {
            (span: inout OutputRawSpan) throws(RingError) in series.writeSample(into: &span)
        }
    }
}

/// A worker that adopts, without sockets.
final class Adopter {
    let descriptor: Int32
    let ring: RingWriter
    let registry: AgentRegistry
    let service: AgentService
    let dataRing: DataRing
    let control: WorkerTableWriter
    let otherRings = OtherRings([])
    let others: OtherWorkers

    /// - Parameter serving: which of the other workers have their agents.
    init(serving: Set<Int> = [], maxAgents: Int = 100) throws {
        descriptor = try RingFile.create(name: "test-adopter", kind: .data)
        ring = try RingWriter.format(
            descriptor: descriptor, kind: .data, index: 0, generation: 1, maximumRingBytes: 64 << 20)
        registry = AgentRegistry(ring: ring)
        let settings = try ProxySettings(flagValues: [(.maxAgents, String(maxAgents))])
        let logger = Logger(label: "test")
        dataRing = DataRing(writer: ring, logger: logger)
        let collector = MetricsCollector(ring: dataRing, registry: registry, maximumMessageBytes: 32 << 20)
        let answers = AnswerCollector(
            ring: dataRing, registry: registry, downloads: ProfileDownloads(ring: dataRing, registry: registry),
            parser: try ParsingThread(loop: EmbeddedEventLoop(), limitBytes: 1 << 20, marker: dataRing.marker),
            maximumMessageBytes: 1 << 20)
        let controlFile = try WorkerTableFile.create()
        defer { MemoryFile.close(controlFile) }
        control = try WorkerTableWriter(descriptor: controlFile)
        others = OtherWorkers(rings: otherRings) { serving.contains($0) }
        service = AgentService(
            settings: settings, secret: try #require(InstallationSecret(RingUnderAdoption.secretBytes)), ring: dataRing,
            registry: registry, collector: collector, answers: answers, others: others,
            control: try WorkerTableReader(descriptor: controlFile), index: 0, logger: logger)
    }

    deinit { MemoryFile.close(descriptor) }

    @discardableResult
    func adopt(
        _ removed: RingUnderAdoption, elsewhere: RingAdoption.OtherSamples = .init()
    ) throws -> RingAdoption {
        let adoption = RingAdoption(worker: 3, reader: try removed.reader(), service: service) { elsewhere }
        while adoption.step() == .more {}
        return adoption
    }

    /// The ring of another worker.
    func bring(_ ring: RingUnderAdoption, index: Int) throws {
        otherRings.arrived(index, descriptor: try RingFile.reopenReadOnly(ring.descriptor))
        others.refresh()
    }

    func agent(pod: String) -> Agent? { registry.all.first { $0.identity.podName == pod } }

    /// The names of the series that a reader of this ring would show of the agent.
    func seriesCount(of agent: Agent) throws -> Int? {
        let reader = try RingReader(descriptor: descriptor, kind: .data)
        guard let entry = reader.entry(at: agent.slot) else { return nil }
        var table: SeriesTable?
        _ = reader.read(at: entry.seriesPosition) { _, payload in table = SeriesTable(payload: payload) }
        guard let table else { return nil }
        var count: Int?
        _ = reader.read(at: entry.samplePosition) { _, payload in
            count = Sample(payload: payload, table: table).map { _ in table.seriesCount }
        }
        return count
    }
}
