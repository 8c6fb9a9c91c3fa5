// SPDX-License-Identifier: Apache-2.0
import Exchange
import Logging

/// Rings that are damaged. Whoever writes a ring puts its header right; a reader that waits for that says so, and is no
/// worker that hangs. A ring that has lost what is current in it is reset, which costs its own worker's agents a reconnect.
extension Supervisor {
    /// A ring that is damaged again and again is not reset more often.
    private static let resetIntervalNanoseconds: UInt64 = 10_000_000_000

    /// The ingest worker says that it cannot read the command ring of this parity.
    func isStalled(_ own: IngestLanes, parity: Int, generation: UInt64) -> Bool {
        let counter: IngestCounter = parity == 0 ? .commandsStalledA : .commandsStalledB
        return own.upGauge.counter(counter.rawValue, generation: generation) != 0
    }

    /// The exporter says that it cannot read the data ring.
    func isStalled(_ own: IngestLanes, exporter: SupervisedWorker) -> Bool {
        own.downGauges[exporter.parity].counter(RingCondition.stalled.rawValue, generation: exporter.generation) != 0
    }

    func resetDamagedRings() {
        guard phase == .serving else { return }
        for worker in ingest where worker.life.isReady && !worker.isLeaving && !worker.startsFresh {
            guard let own = lanes(of: worker), let reason = damage(of: own, worker) else { continue }
            let isDue = worker.ringResetAtNanoseconds.map { now >= $0 + Self.resetIntervalNanoseconds } ?? true
            guard isDue else { continue }
            worker.ringResetAtNanoseconds = now
            quarantine(worker, reason: reason)
        }
    }

    private func damage(of own: IngestLanes, _ worker: SupervisedWorker) -> String? {
        if own.upGauge.counter(IngestCounter.ringDamaged.rawValue, generation: worker.generation) != 0 {
            return "its worker has lost records that are current in it"
        }
        guard exporter.life.isReady, canRead(exporter) else { return nil }
        let condition = own.downGauges[exporter.parity]
            .counter(RingCondition.damagedGeneration.rawValue, generation: exporter.generation)
        return condition == worker.generation ? "the exporter cannot read what is current in it" : nil
    }
}
