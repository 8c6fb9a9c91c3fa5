// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import RingMessages
import Rings
import WorkerLink

/// This worker's data ring: what goes into it, and what the worker counts and says in its header.
final class DataRing {
    let writer: RingWriter
    let outbox: RingOutbox
    let counters: IngestCounters
    let marker: InFlightMarker
    /// When the predecessor was last alive, `CLOCK_MONOTONIC`; 0: there was none.
    let predecessorBeatNanoseconds: UInt64
    /// Called when the ring is full, so that nothing more may be read, and when it has room again.
    var onPressure: (Bool) -> Void = { _ in }

    private let logger: Logger
    private var pressureSince: UInt64?

    init(writer: RingWriter, predecessorBeatNanoseconds: UInt64 = 0, logger: Logger) {
        self.writer = writer
        self.predecessorBeatNanoseconds = predecessorBeatNanoseconds
        self.logger = logger
        outbox = RingOutbox(ring: writer)
        counters = IngestCounters(ring: writer)
        marker = InFlightMarker(ring: writer)
        // A predecessor's: its connections died with it, and nothing waits yet.
        counters.set(.connectionsOpen, 0)
        counters.set(.waitsForRoom, 0)
        outbox.onPressure = { [unowned self] in setPressure($0) }
        outbox.onLoss = { [unowned self] in recordLost($0) }
    }

    /// Takes over the predecessor's ring, or begins an empty one.
    convenience init(_ launch: WorkerLaunch, _ rings: WorkerDescriptors.Ingest, _ logger: Logger) throws(RingError) {
        // Taking the ring over is a sign of life already.
        let beat = (try? RingReader(descriptor: rings.dataRing, kind: .data))?.heartbeat ?? 0
        self.init(
            writer: try Self.open(launch, rings, logger), predecessorBeatNanoseconds: beat, logger: logger)
    }

    private static func open(
        _ launch: WorkerLaunch, _ rings: WorkerDescriptors.Ingest, _ logger: Logger
    ) throws(RingError) -> RingWriter {
        if launch.isFresh { return try beginAnew(launch, rings) }
        do {
            return try RingWriter.takeOver(
                descriptor: rings.dataRing, kind: .data, index: launch.index, generation: launch.generation,
                maximumRingBytes: launch.settings.ringMaxBytes)
        } catch .unusable(let reason) {
            logger.error(
                "cannot use the predecessor's ring: starting with an empty one; agents are asked again",
                metadata: ["reason": "\(reason)"])
            return try beginAnew(launch, rings)
        }
    }

    private static func beginAnew(
        _ launch: WorkerLaunch, _ rings: WorkerDescriptors.Ingest
    ) throws(RingError) -> RingWriter {
        let fresh = try RingWriter.format(
            descriptor: rings.dataRing, kind: .data, index: launch.index, generation: launch.generation,
            maximumRingBytes: launch.settings.ringMaxBytes)
        fresh.addCounter(IngestCounter.ringsReplaced.rawValue, 1)
        return fresh
    }

    /// The exporter has not read on, and writes wait.
    var isFull: Bool { pressureSince != nil }

    // MARK: Time

    /// Words of the header that do not say what this worker has written are put right: readers wait for that.
    func repair() {
        let repairs = writer.repairHeader()
        if repairs > 0 {
            counters.add(.ringRepairs, UInt64(repairs))
            logger.error(
                "repaired changed words of the data ring's header: faulty memory, or another process",
                metadata: ["words": "\(repairs)"])
        }
        counters.set(.ringDamagedPlaces, Int(clamping: writer.damagedPlaces))
        counters.set(.ringDamaged, writer.lostCurrentRecords > 0 ? 1 : 0)
    }

    /// Says in the header what this process uses, how full the ring is, and for how long it has been full.
    func publishState(nowNanoseconds now: UInt64) {
        counters.set(.ringBytes, writer.ringBytes)
        counters.set(.ringUsedBytes, writer.usedBytes)
        counters.set(.ringCurrentBytes, writer.currentBytes)
        if let usage = OwnProcess.current.usage() { counters.set(usage) }
        guard let since = pressureSince else { return }
        // Records of this tick may have filled the ring after `now`.
        counters.add(.backPressureNanoseconds, now.elapsed(since: since))
        pressureSince = max(now, since)
    }

    // MARK: Back-pressure

    private func setPressure(_ isOn: Bool) {
        let now = MonotonicClock.nowNanoseconds()
        if isOn {
            pressureSince = now
            logger.debug("the data ring is full: reading stops until the exporter catches up")
        } else {
            if let since = pressureSince { counters.add(.backPressureNanoseconds, now.elapsed(since: since)) }
            pressureSince = nil
        }
        counters.set(.waitsForRoom, isOn ? 1 : 0)
        onPressure(isOn)
    }

    private func recordLost(_ error: RingError) {
        switch error {
        case .noMemory: counters.add(.recordsWithoutMemory)
        default: counters.add(.recordsTooLarge)
        }
        logger.error("dropped a record that does not fit into the data ring", metadata: ["reason": "\(error)"])
    }
}
