// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import Platform
import RingMessages
import Rings

/// Takes over the rings of workers that are no more, one after the other (``RingAdoption``).
final class RingAdoptions {
    /// While its own ring is full an adoption looks again after this.
    private static let wait = TimeAmount.milliseconds(10)
    /// A ring that this process cannot open now, because descriptors or memory are short, is tried again so often…
    private static let attempts = 50
    /// …after this each time.
    private static let retry = TimeAmount.milliseconds(100)

    private let core: IngestWorkerCore
    private let others: OtherRings
    private let service: AgentService
    /// The one that is being taken over first.
    private var orders: [(worker: Int, whenDone: @Sendable () -> Void)] = []
    private var adoption: RingAdoption?

    init(core: IngestWorkerCore, others: OtherRings, service: AgentService) {
        self.core = core
        self.others = others
        self.service = service
    }

    func adopt(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) {
        orders.append((index, whenDone))
        if orders.count == 1 { begin() }
    }

    private func begin(attempt: Int = 1) {
        guard let index = orders.first?.worker, !core.isDraining else { return }
        var reader: RingReader?
        do {
            reader = try others.open(index)
        } catch {
            if attempt < Self.attempts {
                core.loop.assumeIsolated().scheduleTask(in: Self.retry) { [self] in begin(attempt: attempt + 1) }
                return
            }
        }
        guard let reader else {
            core.logger.warning(
                "cannot read the ring of a removed worker: its agents are asked again",
                metadata: ["worker": "ingest-\(index)"])
            return end()
        }
        adoption = RingAdoption(worker: index, reader: reader, service: service) { [unowned self] in
            elsewhere(but: index)
        }
        goOn()
    }

    private func goOn() {
        // A worker that drains needs no more agents; the supervisor finds another for them when this worker is gone.
        guard let adoption, !core.isDraining else { return }
        core.beat()
        switch adoption.step() {
        case .more: core.loop.assumeIsolated().execute { [self] in goOn() }
        case .waits:
            core.loop.assumeIsolated().scheduleTask(in: Self.wait) { [self] in
                core.ring.outbox.retry()
                goOn()
            }
        case .done:
            core.logger.info(
                "adopted the ring of a removed worker",
                metadata: [
                    "worker": "ingest-\(adoption.worker)", "agents": "\(adoption.adopted)",
                    "completed": "\(adoption.completed)", "elsewhere": "\(adoption.leftElsewhere)",
                    "without_room": "\(adoption.leftForLimit)", "held_off": "\(adoption.leftQuarantined)",
                ])
            end()
        }
    }

    private func end() {
        adoption = nil
        let (_, whenDone) = orders.removeFirst()
        whenDone()
        begin()
    }

    /// The agents that the other running workers have samples of.
    private func elsewhere(but index: Int) -> RingAdoption.OtherSamples {
        var elsewhere = RingAdoption.OtherSamples()
        for other in others.indices where other != index && core.control.worker(.ingest, other).state == .running {
            guard let reader = others.reader(other) else { continue }
            for slot in 0..<reader.slotHighWater {
                guard let (slot, entry) = reader.entry(at: slot), entry.samplePosition != AgentEntry.noPosition,
                    entry.status == .online || entry.status == .unconnected
                else { continue }
                let known = elsewhere.places[entry.id]?.registeredAtNanoseconds ?? .min
                guard entry.registeredAtNanoseconds > known else { continue }
                elsewhere.places[entry.id] = RingAdoption.OtherSamples.Place(
                    registeredAtNanoseconds: entry.registeredAtNanoseconds
                ) { entry.sampleReceivedAtNanoseconds(slot, in: reader) }
            }
        }
        return elsewhere
    }
}
