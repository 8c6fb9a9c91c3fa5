// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import RingMessages
import Rings
import WorkerLink

/// Observes workers through the headers of their rings. Nothing behind a header is looked at.
extension FleetExecutor {
    /// Takes it down, and says who stalls and which ring is damaged.
    func observe() {
        for slot in fleet.ingest { observeIngest(slot) }
        for exporter in fleet.exporter.processes where exporter.readyAt != nil { observeExporter(exporter) }
        observeRecorder()
        for id in processes.running.keys.sorted() {
            guard fleet.process(id)?.readyAt != nil, let hang = processes[id]?.watch.verdict(nowNanoseconds: now)
            else { continue }
            bring(.stalled(id, hang))
        }
        for slot in fleet.ingest {
            if let reason = damage(slot) { bring(.ringDamaged(slot.worker.index, reason)) }
        }
    }

    // Draining workers read no commands any more, and that is right.
    private var isReading: Bool { fleet.phase != .stopping }

    private func observeIngest(_ slot: Slot) {
        guard let serving = slot.serving, serving.readyAt != nil, let process = processes[serving.id],
            let own = rings(slot.worker.index)
        else { return }
        // One may have had no form yet when either side said that it is ready, or a header that made no sense.
        for gauge in [own.dataGauge] + own.commandGauges where !gauge.isOpen { gauge.open() }
        process.watch.observe(heartbeat: own.dataGauge.heartbeat, nowNanoseconds: now)
        let exporters = fleet.exporter.processes.filter { $0.readyAt != nil }
        for parity in 0..<RingSet.parities {
            let isWritten =
                isReading && serving.isServing
                && exporters.contains { WorkerStarter.parity($0.generation) == parity }
                && !isStalled(own, parity: parity, generation: serving.generation)
            process.watch.observe(
                ring: parity, readPosition: isWritten ? own.dataGauge.readPosition(parity) : nil,
                head: own.commandGauges[parity].head, nowNanoseconds: now)
        }
    }

    private func observeExporter(_ exporter: FleetProcess) {
        guard let process = processes[exporter.id], let first = rings.ingest.first else { return }
        let parity = process.parity
        for own in rings.ingest where !own.commandGauges[parity].isOpen { own.commandGauges[parity].open() }
        process.watch.observe(heartbeat: first.commandGauges[parity].heartbeat, nowNanoseconds: now)
        process.watch.setRingCount(rings.ingest.count, nowNanoseconds: now)
        for own in rings.ingest {
            let isReadable = isReading && !isStalled(own, process)
            process.watch.observe(
                ring: own.index, readPosition: isReadable ? own.commandGauges[parity].readPosition(0) : nil,
                head: own.dataGauge.head, nowNanoseconds: now)
        }
    }

    private func observeRecorder() {
        guard let serving = fleet.recorder?.serving, serving.readyAt != nil, let process = processes[serving.id] else {
            return
        }
        let gauge = rings.recorderGauge
        if !gauge.isOpen { gauge.open() }
        process.watch.observe(heartbeat: gauge.heartbeat, nowNanoseconds: now)
        let word = gauge.counter(RecorderCounter.trouble.rawValue, generation: serving.generation)
        bring(.recorderTrouble(serving.id, RecorderTrouble(rawValue: Int(clamping: word))))
    }

    /// The process serves from now on.
    func watch(_ id: FleetProcess.ID) {
        guard let process = processes[id] else { return }
        let isFormed: Bool
        switch process.worker.role {
        case .ingest:
            // An exporter that was there before has formed its side by now, or does so at its next turn.
            for gauge in rings(process.worker.index)?.commandGauges ?? [] { gauge.open() }
            isFormed = rings(process.worker.index)?.dataGauge.open() ?? true
            process.watch = LivenessWatchdog(ringCount: RingSet.parities, nowNanoseconds: now)
        case .exporter:
            // Its beat is in the first; those that have come in the meantime it forms at its next turn.
            isFormed = rings.ingest.map { $0.commandGauges[process.parity].open() }.first ?? false
            process.watch = LivenessWatchdog(ringCount: rings.ingest.count, nowNanoseconds: now)
        case .recorder:
            // Nobody waits for what it reads.
            isFormed = rings.recorderGauge.open()
            process.watch = LivenessWatchdog(ringCount: 0, nowNanoseconds: now)
        }
        if !isFormed {
            // It is watched all the same: without a heartbeat it will not live long.
            logger.error("\(process.worker) reports that it is ready, but its ring cannot be read")
        }
        if let changedLogLevel { processes.send(id, .logLevel(changedLogLevel)) }
    }

    func rings(_ index: Int) -> IngestRings? { rings.ingest.indices.contains(index) ? rings.ingest[index] : nil }

    // MARK: Rings that are damaged

    /// The ingest worker says that it cannot read the command ring of this parity.
    private func isStalled(_ own: IngestRings, parity: Int, generation: UInt64) -> Bool {
        let counter: IngestCounter = parity == 0 ? .commandsStalledA : .commandsStalledB
        return own.dataGauge.counter(counter.rawValue, generation: generation) != 0
    }

    /// The exporter says that it cannot read the data ring.
    private func isStalled(_ own: IngestRings, _ exporter: RunningWorker) -> Bool {
        own.commandGauges[exporter.parity].counter(RingCondition.stalled.rawValue, generation: exporter.generation) != 0
    }

    /// The writer of a ring repairs its header; a ring that has lost current records is reset.
    private func damage(_ slot: Slot) -> String? {
        guard let serving = slot.serving, serving.isServing, let own = rings(slot.worker.index) else { return nil }
        if own.dataGauge.counter(IngestCounter.ringDamaged.rawValue, generation: serving.generation) != 0 {
            return "its worker has lost current records"
        }
        guard let exporter = fleet.exporter.serving, exporter.isServing else { return nil }
        let condition = own.commandGauges[WorkerStarter.parity(exporter.generation)]
            .counter(RingCondition.damagedGeneration.rawValue, generation: exporter.generation)
        return condition == serving.generation ? "the exporter cannot read its current records" : nil
    }

    // MARK: What a dead worker has left

    /// Nothing of a process that has had no ring of its own.
    func evidence(
        of id: FleetProcess.ID, _ process: RunningWorker
    ) -> (evidence: CrashEvidence, fields: Logger.Metadata) {
        switch process.worker.role {
        case .ingest:
            guard fleet.find(id)?.place == .serving, let own = rings(process.worker.index), own.dataGauge.open() else {
                return (CrashEvidence(), [:])
            }
            return ingestEvidence(own)
        case .exporter: return exporterEvidence(process)
        case .recorder: return recorderEvidence(process)
        }
    }

    private func ingestEvidence(_ own: IngestRings) -> (evidence: CrashEvidence, fields: Logger.Metadata) {
        var (evidence, fields) = (CrashEvidence(), Logger.Metadata())
        fields["data_ring"] = "bytes \(own.dataGauge.tail) to \(own.dataGauge.head)"
        fields["last_command"] = "\(InFlightCommand.text(own.dataGauge.counter(IngestCounter.lastCommand.rawValue)))"
        for parity in 0..<RingSet.parities {
            let head = own.commandGauges[parity].head
            guard head > 0, let read = own.dataGauge.readPosition(parity) else { continue }
            fields["command_ring_\(parity == 0 ? "a" : "b")"] = "read \(read) of \(head) bytes"
        }
        let note = own.dataGauge.workingOn
        evidence.identities = [note.0, note.1].filter { $0 != 0 }
        evidence.onLoop = note.0 == 0 ? nil : note.0
        if let first = evidence.identities.first {
            fields["working_on"] = "identity \(String(first, radix: 16))"
        }
        return (evidence, fields)
    }

    private func recorderEvidence(_ process: RunningWorker) -> (evidence: CrashEvidence, fields: Logger.Metadata) {
        var (evidence, fields) = (CrashEvidence(), Logger.Metadata())
        let word = rings.recorderGauge.counter(RecorderCounter.reading.rawValue, generation: process.generation)
        if word != 0 {
            evidence.records = [word]
            fields["reading"] = "\(RecordName(word: word).text)"
        }
        return (evidence, fields)
    }

    private func exporterEvidence(_ process: RunningWorker) -> (evidence: CrashEvidence, fields: Logger.Metadata) {
        var (evidence, fields) = (CrashEvidence(), Logger.Metadata())
        for own in rings.ingest {
            let read = own.commandGauges[process.parity].readPosition(0) ?? 0
            fields["data_ring_\(own.index)"] = "read \(read) of \(own.dataGauge.head) bytes"
        }
        guard let first = rings.ingest.first else { return (evidence, fields) }
        evidence.records = ExporterMarker.allCases
            .map { first.commandGauges[process.parity].counter($0.rawValue, generation: process.generation) }
            .filter { $0 != 0 }
        if let word = evidence.records.first {
            evidence.ring = RecordName(word: word).worker
            fields["reading"] = "\(RecordName(word: word).text)"
        }
        return (evidence, fields)
    }
}
