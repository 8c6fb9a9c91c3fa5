// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Platform
import Settings

/// How the service is, for systemd, for `/health` and for `ctl status`.
extension Supervisor {
    /// How long a quarantine is a reason to look.
    private static let quarantineNanoseconds: UInt64 = 300_000_000_000

    /// Tells everybody, if something has changed.
    func tellStatus() {
        for worker in present {
            worker.isKnownDegraded = worker.life.policy.isDegraded
            control.refreshDeaths(worker)
        }
        let reason = troubles().joined(separator: "; ")
        if reason != lastDegradedReason {
            lastDegradedReason = reason
            control.setDegradedReason(reason)
        }
        guard phase == .serving else { return }
        let line = statusLine()
        guard line != lastStatus else { return }
        lastStatus = line
        service.status(line)
    }

    func statusLine() -> String {
        let reports = present.map { StatusText.Worker(name: $0.name, isReady: $0.life.isReady) }
        return StatusText.line(
            ingest: Array(reports.dropLast()), exporter: reports[reports.count - 1],
            listening: estate.listeners.text, troubles: troubles(), underWay: operation?.name,
            reloadFailure: lastReload?.failure)
    }

    /// Why the service is degraded; none: it is not.
    private func troubles() -> [String] {
        var troubles: [String] = []
        for worker in present {
            if let trouble = trouble(of: worker) {
                troubles.append(StatusText.text(worker.name, isReady: worker.life.isReady, trouble))
            } else if worker.life.state == .drained, !worker.startsFresh {
                troubles.append("\(worker.name) is drained (ctl restart \(worker.name) brings it back)")
            }
        }
        if let (name, since) = lastQuarantine, now < since + Self.quarantineNanoseconds {
            troubles.append("the lane of \(name) killed the exporter and was replaced by an empty one")
        }
        if !suspicion.held.isEmpty {
            troubles.append("\(suspicion.held.count) agent(s) held off for killing ingest workers")
        }
        return troubles
    }

    private func trouble(of worker: SupervisedWorker) -> StatusText.Trouble? {
        let policy = worker.life.policy
        guard policy.isDegraded, let last = worker.life.lastDeath else { return nil }
        var next: UInt64?
        if case .waiting(let until) = worker.life.state { next = until > now ? until - now : 0 }
        return StatusText.Trouble(
            deaths: policy.deathsInRow, overNanoseconds: policy.lastDeathNanoseconds - policy.firstDeathNanoseconds,
            lastCause: last.cause.text, nextTryNanoseconds: next)
    }
}
