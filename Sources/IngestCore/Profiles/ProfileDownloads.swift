// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform
import RingMessages
import Rings

/// Downloads of profiles at this worker: carries out what the agents' ``ProfileFetches`` decide.
///
/// A download is no collection: it has one agent and one client, its bytes go on as they come, and it has no deadline but
/// the agent's silence. So it is not one of ``CollectionEngine``.
final class ProfileDownloads {
    typealias Key = CommandID

    private let ring: RingWriter
    private let outbox: RingOutbox
    private let registry: AgentRegistry
    private let counters: IngestCounters
    /// Time in which this worker reads (``AgentClock``).
    var clock: () -> UInt64 = { 0 }
    /// Those that have downloads, under way or waiting.
    private var calls: [ObjectIdentifier: AnswerStreamCall] = [:]
    private var callByDownload: [Key: AnswerStreamCall] = [:]
    /// The bytes of each that went into the ring. Told at its end: what a ring loses must not look whole.
    private var forwardedBytes: [Key: UInt64] = [:]

    init(ring: DataRing, registry: AgentRegistry) {
        self.ring = ring.writer
        outbox = ring.outbox
        counters = ring.counters
        self.registry = registry
    }

    // MARK: From the exporter

    func fetch(_ command: FetchCommand, _ key: Key) {
        guard let call = registry.agent(id: command.agent)?.answerStream(.pressureProfiles) else {
            return end(key, FetchEnding(.unknownAgent, message: "the agent is not connected at the moment"))
        }
        calls[ObjectIdentifier(call)] = call
        callByDownload[key] = call
        perform(call.fetches.fetch(key, command, nowNanoseconds: clock()), on: call)
    }

    func credited(_ credit: FetchCredit, _ key: Key) {
        guard let call = callByDownload[key] else { return }
        perform(call.fetches.credited(key, takenBytes: credit.takenBytes), on: call)
    }

    func drop(_ key: Key) {
        guard let call = callByDownload[key] else { return }
        perform(call.fetches.drop(key), on: call)
        end(key, Self.unwanted)
    }

    // MARK: From agents

    func received(_ chunk: Banyandb_Fodc_V1_PressureProfileChunk, on call: AnswerStreamCall) {
        let actions = call.fetches.chunk(
            requestID: chunk.requestID, byteCount: chunk.data.count, isLast: chunk.last, error: chunk.error,
            nowNanoseconds: clock())
        perform(actions, on: call, chunk)
    }

    func closed(_ call: AnswerStreamCall) {
        guard calls[ObjectIdentifier(call)] != nil else { return }
        perform(call.fetches.streamClosed(), on: call)
    }

    // MARK: Actions

    /// - Parameter chunk: the one that has just come, if one has.
    private func perform(
        _ actions: [ProfileFetches.Action], on call: AnswerStreamCall,
        _ chunk: Banyandb_Fodc_V1_PressureProfileChunk? = nil
    ) {
        for action in actions {
            switch action {
            case .send(let key, let requestID, let command):
                call.isAsked = true
                announce(command, key, call.agent.slot)
                counters.add(.asked, of: .pressureProfiles)
                call.call.send(StreamDescription.fetchRequest(id: requestID, command))
            case .forward(let key, let offset):
                if let chunk { forward(chunk, at: offset, of: key, call.agent.slot) }
            case .end(let key, let ending): end(key, ending)
            case .hold(let isHeld): call.call.isHeld = isHeld
            case .unasked: counters.add(.unasked, of: .pressureProfiles)
            }
        }
        if !call.fetches.isServing { calls.removeValue(forKey: ObjectIdentifier(call)) }
    }

    /// Says in the ring whose bytes those are that follow, for a reader that has not asked for them.
    private func announce(_ command: FetchCommand, _ key: Key, _ slot: SlotRef) {
        let payload = command.payload
        outbox.write { [ring] () throws(RingError) in
            _ = try ring.append(
                .fetchBegun, agent: slot, generation: key.generation, number: key.number, subject: 0,
                payload.span.bytes)
        }
    }

    private func forward(
        _ chunk: Banyandb_Fodc_V1_PressureProfileChunk, at offset: UInt64, of key: Key, _ slot: SlotRef
    ) {
        counters.add(.answered, of: .pressureProfiles)
        forwardedBytes[key] = offset + UInt64(chunk.data.count)
        outbox.write { [ring] () throws(RingError) in
            _ = try ring.append(
                .profileChunk, agent: slot, generation: key.generation, number: key.number, subject: offset,
                chunk.data.bytes)
        }
    }

    /// For the recorder, which keeps what has come of a profile until it hears of the end.
    private static let unwanted = FetchEnding(.notTaken, message: "nobody waits for it any more")

    private func end(_ key: Key, _ ending: FetchEnding) {
        callByDownload[key] = nil
        let byteCount = forwardedBytes.removeValue(forKey: key) ?? 0
        outbox.reply(.fetchEnded, to: key, subject: byteCount, ending.payload)
    }
}

extension ProfileDownloads: IngestFeature {
    var commands: [RecordType: ExporterCommand] {
        let refusal = ExporterCommand.Refusal(type: .fetchEnded, payload: FetchEnding(.draining).payload)
        return [
            .fetchProfile: ExporterCommand(FetchCommand.self, refusal: refusal) { [unowned self] in fetch($0, $1) },
            .fetchCredit: ExporterCommand(FetchCredit.self) { [unowned self] in credited($0, $1) },
            .fetchDrop: ExporterCommand { [unowned self] in drop($0) },
        ]
    }

    /// - Parameter nowNanoseconds: not used, because silence is measured by ``clock``.
    func tick(nowNanoseconds: UInt64) {
        for call in Array(calls.values) { perform(call.fetches.tick(nowNanoseconds: clock()), on: call) }
    }

    func exporterGone(generation: UInt64) {
        for call in Array(calls.values) { perform(call.fetches.exporterGone(generation: generation), on: call) }
        for key in Array(callByDownload.keys) where key.generation == generation { end(key, Self.unwanted) }
    }

    func drain() {
        for call in Array(calls.values) { perform(call.fetches.drain(), on: call) }
    }
}
