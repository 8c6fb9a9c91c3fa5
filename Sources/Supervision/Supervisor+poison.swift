// SPDX-License-Identifier: Apache-2.0
import Exchange
import Logging
import Platform

/// What a dead worker has left in the headers of its lanes: for the log, and to find out what kills workers.
struct Evidence {
    var metadata: Logger.Metadata = [:]
    /// Agents that an ingest worker was working on.
    var identities: [UInt64] = []
    /// The one of these that its event loop was at.
    var onLoop: UInt64?
    /// What the exporter was reading: words of its notes.
    var records: [UInt64] = []
}

extension Supervisor {
    /// To be taken before the successor writes.
    func evidence(of worker: SupervisedWorker) -> Evidence {
        var evidence = Evidence()
        switch worker.role {
        case .ingest:
            guard let own = lanes(of: worker), own.upGauge.open() else { return evidence }
            evidence.metadata = [
                "lane": "\(own.upGauge.tail)..\(own.upGauge.head)",
                "last_command": "\(LastCommand.text(own.upGauge.counter(IngestCounter.lastCommand.rawValue)))",
            ]
            for parity in 0..<LaneSet.parities {
                let head = own.downGauges[parity].head
                guard head > 0, let read = own.upGauge.readPosition(parity) else { continue }
                evidence.metadata["commands_\(parity == 0 ? "a" : "b")"] = "\(read) of \(head)"
            }
            let note = own.upGauge.workingOn
            evidence.identities = [note.0, note.1].filter { $0 != 0 }
            evidence.onLoop = note.0 == 0 ? nil : note.0
            if let first = evidence.identities.first {
                evidence.metadata["working_on"] = "identity \(String(first, radix: 16))"
            }
        case .exporter:
            guard canRead(worker) else { return evidence }
            for own in lanes.ingest {
                let read = own.downGauges[worker.parity].readPosition(0) ?? 0
                evidence.metadata["lane_\(own.index)"] = "\(read) of \(own.upGauge.head)"
            }
            guard let first = lanes.ingest.first else { return evidence }
            evidence.records = ExporterNote.allCases
                .map { first.downGauges[worker.parity].counter($0.rawValue, generation: worker.generation) }
                .filter { $0 != 0 }
            if let word = evidence.records.first {
                evidence.metadata["reading"] = "\(RecordName(word: word).text)"
            }
        }
        return evidence
    }

    /// It died of a fault: who is to blame?
    func blame(_ worker: SupervisedWorker, _ evidence: Evidence) {
        switch worker.role {
        case .ingest:
            for identity in evidence.identities where suspicion.ingestDied(over: identity, nowNanoseconds: now) {
                holdOff(identity)
            }
        case .exporter:
            worker.suspects = evidence.records
            let named = evidence.records.first.flatMap { RecordName(word: $0).worker }
            guard suspicion.exporterDied(over: named, nowNanoseconds: now) else { return }
            if let named, ingest.indices.contains(named) {
                quarantine(
                    ingest[named], reason: "the exporter has died \(Suspicion.deathsOfLane) times over it")
            } else {
                renewExportersLanes(worker)
            }
        }
    }

    /// Its loop stood still in the middle of somebody's message. What another thread parsed meanwhile has not held it up.
    func blameForHang(_ worker: SupervisedWorker, _ evidence: Evidence) {
        guard worker.role == .ingest, let identity = evidence.onLoop,
            suspicion.ingestDied(over: identity, nowNanoseconds: now)
        else { return }
        holdOff(identity)
    }

    private func holdOff(_ identity: UInt64) {
        control.holdOff(
            identityHash: identity, untilNanoseconds: MonotonicClock.nowNanoseconds() + Suspicion.holdNanoseconds)
        control.add(.identitiesHeldOff)
        let time = StatusText.seconds(Suspicion.holdNanoseconds)
        logger.error(
            """
            an agent has killed ingest workers \(Suspicion.deathsOfAgent) times and is held off for \(time); the ingest \
            workers name it when it comes back
            """, metadata: ["identity": "\(String(identity, radix: 16))"])
        lanes.ringAll()
    }

    func quarantine(_ worker: SupervisedWorker, reason: String) {
        control.add(.lanesQuarantined)
        logger.error(
            "\(worker.name) begins with an empty one in place of its lane: \(reason); its agents are asked anew",
            metadata: metadata(worker))
        lastQuarantine = (worker.name, now)
        worker.startsFresh = true
        // A successor that stands by was started for the lane as it is.
        for next in successors where next.role == .ingest && next.index == worker.index {
            dismiss(next)
        }
        if worker.life.state == .drained {
            // Only a worker of its own can empty a lane.
            worker.drainsWhenReady = true
            worker.life.resume(nowNanoseconds: now)
        }
        guard worker.process != nil else { return }
        guard worker.life.isReady else { return perform(worker.life.kill(.requested), on: worker) }
        worker.life.drain()
        worker.isLeaving = true
        worker.killAtNanoseconds = now + 2 * Self.killAfterNanoseconds
        control.draining(worker)
        worker.send(.drain(deadlineNanoseconds: MonotonicClock.nowNanoseconds() + Self.killAfterNanoseconds))
    }

    private func renewExportersLanes(_ worker: SupervisedWorker) {
        control.add(.lanesQuarantined)
        logger.error(
            """
            the exporter has died \(Suspicion.deathsOfLane) times, and over no ingest worker's lane: it begins with empty \
            lanes of its own
            """)
        lastQuarantine = ("the exporter", now)
        worker.startsFresh = true
    }
}
