// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Logging
import Metrics
import NIOCore
import Platform
import WorkerLink

/// Other ingest workers: how their lanes come and go, and what is taken over from one that is no more.
extension IngestWorker {
    /// While its own ring is full an adoption looks again after this.
    private static let adoptionWait = TimeAmount.milliseconds(10)
    /// A lane that this process cannot open now, for want of descriptors or memory, is tried again so often…
    private static let adoptionAttempts = 50
    /// …after this each time.
    private static let adoptionRetry = TimeAmount.milliseconds(100)

    public func setAccepting(_ isAccepting: Bool) { server.setAccepting(isAccepting) }

    public func retire(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        drain(deadlineNanoseconds: deadlineNanoseconds, whenDone)
    }

    public func laneArrived(_ index: Int, _ lane: LaneDescriptors) {
        for extra in [lane.down, lane.bell].compactMap({ $0 }) { MemoryFile.close(extra) }
        guard index != launch.index else { return MemoryFile.close(lane.up) }
        otherLanes.arrived(index, descriptor: lane.up)
        logger.debug("another worker's lane has come", metadata: ["worker": "ingest-\(index)"])
    }

    public func laneGone(_ index: Int) {
        otherLanes.gone(index)
        logger.debug("another worker's lane is gone", metadata: ["worker": "ingest-\(index)"])
    }

    public func adoptLane(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) {
        adoptions.append((index, whenDone))
        if adoptions.count == 1 { beginAdoption() }
    }

    private func beginAdoption(attempt: Int = 1) {
        guard let index = adoptions.first?.worker, !isDraining else { return }
        var reader: LaneReader?
        do {
            reader = try otherLanes.open(index)
        } catch {
            if attempt < Self.adoptionAttempts {
                loop.scheduleTask(in: Self.adoptionRetry) { [self] in beginAdoption(attempt: attempt + 1) }
                return
            }
        }
        guard let reader else {
            logger.warning(
                "the lane of a removed worker cannot be read: its agents are asked anew",
                metadata: ["worker": "ingest-\(index)"])
            return endAdoption()
        }
        adoption = LaneAdoption(worker: index, reader: reader, service: service) { [unowned self] in
            elsewhere(but: index)
        }
        continueAdoption()
    }

    private func continueAdoption() {
        // What drains has no use for more agents; the supervisor finds another for them when this worker is gone.
        guard let adoption, !isDraining else { return }
        beat()
        switch adoption.step() {
        case .more: loop.execute { [self] in continueAdoption() }
        case .waits:
            loop.scheduleTask(in: Self.adoptionWait) { [self] in
                outbox.retry()
                continueAdoption()
            }
        case .done:
            logger.info(
                "took over the lane of a removed worker",
                metadata: [
                    "worker": "ingest-\(adoption.worker)", "agents": "\(adoption.adopted)",
                    "completed": "\(adoption.completed)", "elsewhere": "\(adoption.leftElsewhere)",
                    "without_room": "\(adoption.leftForLimit)", "held_off": "\(adoption.leftHeldOff)",
                ])
            endAdoption()
        }
    }

    private func endAdoption() {
        adoption = nil
        let (_, whenDone) = adoptions.removeFirst()
        whenDone()
        beginAdoption()
    }

    /// What the other running workers have samples of.
    private func elsewhere(but index: Int) -> LaneAdoption.Elsewhere {
        var elsewhere = LaneAdoption.Elsewhere()
        for other in otherLanes.indices where other != index && control.worker(.ingest, other).state == .running {
            guard let reader = otherLanes.reader(other) else { continue }
            for slot in 0..<reader.slotHighWater {
                guard let (slot, entry) = reader.entry(at: slot), entry.samplePosition != AgentEntry.noPosition,
                    entry.status == .online || entry.status == .unconnected
                else { continue }
                let known = elsewhere.places[entry.id]?.registeredAtNanoseconds ?? .min
                guard entry.registeredAtNanoseconds > known else { continue }
                elsewhere.places[entry.id] = LaneAdoption.Elsewhere.Place(
                    registeredAtNanoseconds: entry.registeredAtNanoseconds
                ) { entry.sampleReceivedAtNanoseconds(slot, in: reader) }
            }
        }
        return elsewhere
    }
}
