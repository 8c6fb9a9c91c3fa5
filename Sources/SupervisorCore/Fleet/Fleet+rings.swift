// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// Rings that are damaged, that kill their readers, or that somebody else still writes; agents that kill their workers.
extension Fleet {
    /// A ring that is damaged again and again is not reset more often.
    static let ringResetIntervalNanoseconds: UInt64 = 10_000_000_000
    /// How long a start waits for the last writer of a ring before that is told, or ended: the kernel ends it when the old
    /// supervisor dies, so this is for a machine that is very busy.
    static let ringHolderTimeoutNanoseconds: UInt64 = 5_000_000_000
    static let ringHolderRetryNanoseconds: UInt64 = 20_000_000

    /// The process was not started: the ring has a writer. One that is no former child is waited for, and never killed.
    mutating func waitForRing(_ id: FleetProcess.ID, _ pid: Int32, _ isFormerChild: Bool) {
        guard let (worker, place) = find(id), place == .serving, worker.role == .ingest else { return }
        self[worker].serving = nil
        self[worker].generation -= 1
        self[worker].servingGeneration = self[worker].generation
        self[worker].startAt = now + Self.ringHolderRetryNanoseconds
        var holder = self[worker].ringHolder ?? Slot.RingHolder(pid: pid, since: now)
        if holder.pid != pid { holder = Slot.RingHolder(pid: pid, since: now) }
        if isFormerChild, now >= holder.since + Self.ringHolderTimeoutNanoseconds {
            log(
                .error, "the last writer of a ring does not exit: killing it",
                fields: ["worker": "\(worker)", "pid": "\(pid)"])
            emit(.killRingHolder(worker.index))
            holder.since = now
        }
        self[worker].ringHolder = holder
    }

    // MARK: Rings that are emptied

    mutating func repairRing(_ index: Int, _ reason: String) {
        guard phase == .serving, ingest.indices.contains(index) else { return }
        let slot = ingest[index]
        guard slot.isServing, !slot.needsEmptyRing else { return }
        if let last = slot.ringResetAt, now < last + Self.ringResetIntervalNanoseconds { return }
        ingest[index].ringResetAt = now
        resetRing(slot.worker, reason)
    }

    private mutating func resetRing(_ worker: WorkerName, _ reason: String) {
        emit(.countRingReset)
        log(
            .error, "\(worker) restarts with an empty ring: \(reason); its agents are asked again",
            self[worker].serving?.id)
        lastRingReset = RingReset(name: "\(worker)", at: now)
        self[worker].needsEmptyRing = true
        // A process that stands by was started for the ring as it is.
        endStandby(worker)
        switch self[worker].serving?.state {
        case .serving: sendAway(worker, within: Self.ringResetNanoseconds)
        case .starting, .standby: kill(worker, .serving)
        case nil: if self[worker].goal == .drained { self[worker].startAt = now }
        case .draining, .aborting, .killing: break
        }
    }

    private mutating func resetExportersRings() {
        // A successor that serves has read the rings and lives.
        guard !exporter.isServing else { return }
        emit(.countRingReset)
        log(
            .error,
            """
            the exporter has crashed \(CrashAttribution.deathsOfRing) times without pointing at a data ring: it restarts with \
            empty rings of its own
            """)
        lastRingReset = RingReset(name: "the exporter", at: now)
        exporter.needsEmptyRing = true
    }

    // MARK: What a death points at

    mutating func attribute(_ worker: WorkerName, _ place: Slot.Place, _ cause: DeathCause, _ evidence: CrashEvidence) {
        switch (cause, worker.role) {
        case (.fault, .ingest):
            guard place == .serving else { return }
            for identity in evidence.identities { attribute(to: identity) }
        // A message that another thread parsed meanwhile has not held the loop up.
        case (.hung(.noHeartbeat), .ingest):
            if place == .serving, let identity = evidence.onLoop { attribute(to: identity) }
        case (.fault, .exporter):
            exporter.suspects = evidence.records
            guard attribution.exporterDied(over: evidence.ring, nowNanoseconds: now) else { return }
            if let ring = evidence.ring, ingest.indices.contains(ring) {
                resetRing(
                    ingest[ring].worker,
                    "the exporter has crashed \(CrashAttribution.deathsOfRing) times while reading it")
            } else {
                resetExportersRings()
            }
        // It reads every ring by itself, and holds nobody up: the record is all that can be left out.
        case (.fault, .recorder): recorder?.suspects = evidence.records
        default: break
        }
    }

    private mutating func attribute(to identity: UInt64) {
        if attribution.ingestDied(over: identity, nowNanoseconds: now) { emit(.quarantine(identity: identity)) }
    }
}
