// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// Why the service is degraded.
extension Fleet {
    /// How long a ring's reset is a reason to look.
    private static let ringResetShownNanoseconds: UInt64 = 300_000_000_000

    /// None: all is well.
    var troubles: [String] {
        var troubles: [String] = []
        for slot in presentSlots {
            if let trouble = trouble(of: slot) {
                troubles.append(StatusText.text("\(slot.worker)", isReady: slot.isServing, trouble))
            } else if slot.goal == .drained, slot.serving == nil, !slot.needsEmptyRing {
                troubles.append("\(slot.worker) is drained (ctl restart \(slot.worker) brings it back)")
            }
            if let holder = slot.ringHolder, now >= holder.since + Self.ringHolderTimeoutNanoseconds {
                troubles.append(
                    "\(slot.worker) waits: process \(holder.pid), which this supervisor has not started, still writes its ring"
                )
            }
        }
        if recorder?.isServing == true, let recorderTrouble {
            troubles.append("the black box is not recording: \(recorderTrouble.text)")
        }
        if let lastRingReset, now < lastRingReset.at + Self.ringResetShownNanoseconds {
            troubles.append(
                "the ring of \(lastRingReset.name) was damaged or crashed the exporter, and was replaced by an empty one"
            )
        }
        if !attribution.quarantined.isEmpty {
            troubles.append("\(attribution.quarantined.count) agent(s) quarantined for crashing ingest workers")
        }
        return troubles
    }

    private func trouble(of slot: Slot) -> StatusText.Trouble? {
        guard slot.policy.isDegraded else { return nil }
        let isWaiting = slot.serving == nil && slot.goal.edition != nil
        return StatusText.Trouble(
            deaths: slot.policy.deathsInRow,
            overNanoseconds: slot.policy.lastDeathNanoseconds - slot.policy.firstDeathNanoseconds,
            lastCause: slot.lastFailure?.text ?? "before the reload",
            nextTryNanoseconds: isWaiting ? slot.startAt - min(slot.startAt, now) : nil)
    }
}
