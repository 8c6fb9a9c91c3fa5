// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import Glibc
import Lanes
import Logging
import Metrics
import NIOEmbedded
import Platform
import Settings
import Testing
import WorkerLink

@testable import IngestCore

/// The lane of a worker that is no more, written as a worker would.
final class LaneUnderAdoption {
    static let secretBytes = [UInt8](repeating: 7, count: InstallationSecret.byteCount)

    let descriptor: Int32
    let writer: LaneWriter

    init() throws {
        descriptor = try LaneFile.create(name: "test-removed", kind: .up)
        writer = try LaneWriter.format(
            descriptor: descriptor, kind: .up, index: 3, generation: 1, maximumRingBytes: 64 << 20)
    }

    /// Writes into the lane of somebody else, who keeps it.
    init(writing writer: LaneWriter, in descriptor: Int32) {
        self.descriptor = dup(descriptor)
        self.writer = writer
    }

    deinit { MemoryFile.close(descriptor) }

    func reader() throws -> LaneReader { try LaneReader(descriptor: descriptor, kind: .up) }

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
        case .free, .pending, .foreign: break
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
        ) { (span: inout OutputRawSpan) throws(LaneError) in series.writeTable(into: &span) }
        _ = try writer.append(.sample, agent: slot, byteCount: series.sampleByteCount, isCurrent: true) {
            (span: inout OutputRawSpan) throws(LaneError) in series.writeSample(into: &span)
        }
    }
}

/// A worker that adopts, without sockets.
final class Adopter {
    let descriptor: Int32
    let lane: LaneWriter
    let registry: AgentRegistry
    let service: AgentService
    let dataRing: DataRing
    let control: ControlWriter
    let otherLanes = OtherLanes([])
    let others: OtherWorkers

    /// - Parameter serving: which of the other workers have their agents.
    init(serving: Set<Int> = [], maxAgents: Int = 100) throws {
        descriptor = try LaneFile.create(name: "test-adopter", kind: .up)
        lane = try LaneWriter.format(
            descriptor: descriptor, kind: .up, index: 0, generation: 1, maximumRingBytes: 64 << 20)
        registry = AgentRegistry(lane: lane)
        let settings = try ProxySettings(flagValues: [(.maxAgents, String(maxAgents))])
        let logger = Logger(label: "test")
        dataRing = DataRing(writer: lane, logger: logger)
        let collector = MetricsCollector(ring: dataRing, registry: registry, maximumMessageBytes: 32 << 20)
        let answers = AnswerCollector(
            ring: dataRing, registry: registry, downloads: ProfileDownloads(ring: dataRing, registry: registry),
            parser: try ParsingThread(loop: EmbeddedEventLoop(), limitBytes: 1 << 20, note: dataRing.note),
            maximumMessageBytes: 1 << 20)
        let controlFile = try ControlFile.create()
        defer { MemoryFile.close(controlFile) }
        control = try ControlWriter(descriptor: controlFile)
        others = OtherWorkers(lanes: otherLanes) { serving.contains($0) }
        service = AgentService(
            settings: settings, secret: try #require(InstallationSecret(LaneUnderAdoption.secretBytes)), ring: dataRing,
            registry: registry, collector: collector, answers: answers, others: others,
            control: try ControlReader(descriptor: controlFile), index: 0, logger: logger)
    }

    deinit { MemoryFile.close(descriptor) }

    @discardableResult
    func adopt(
        _ removed: LaneUnderAdoption, elsewhere: LaneAdoption.Elsewhere = .init()
    ) throws -> LaneAdoption {
        let adoption = LaneAdoption(worker: 3, reader: try removed.reader(), service: service) { elsewhere }
        while adoption.step() == .more {}
        return adoption
    }

    /// The lane of another worker.
    func bring(_ lane: LaneUnderAdoption, index: Int) throws {
        otherLanes.arrived(index, descriptor: try LaneFile.reopenReadOnly(lane.descriptor))
        others.refresh()
    }

    func agent(pod: String) -> Agent? { registry.all.first { $0.identity.podName == pod } }

    /// The names of the series that a reader of this lane would show of the agent.
    func seriesCount(of agent: Agent) throws -> Int? {
        let reader = try LaneReader(descriptor: descriptor, kind: .up)
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
