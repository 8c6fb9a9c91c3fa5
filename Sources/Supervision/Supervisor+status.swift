// SPDX-License-Identifier: Apache-2.0
import Exchange
import Glibc
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

    /// - Parameter showsReload: whether it tells that the last reload has failed.
    func statusLine(showsReload: Bool = true) -> String {
        let reports = present.map { StatusText.Worker(name: $0.name, isReady: $0.life.isReady) }
        return StatusText.line(
            ingest: Array(reports.dropLast()), exporter: reports[reports.count - 1],
            listening: estate.listeners.text, troubles: troubles(), underWay: operation?.name,
            reloadFailure: showsReload ? lastReload?.failure : nil)
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
        if estate.isForeign {
            troubles.append(
                "since the reload that failed processes that hang are not noticed: their lanes are of another layout "
                    + "(reload programs of one version, or restart the service)")
        }
        if let (name, since) = lastQuarantine, now < since + Self.quarantineNanoseconds {
            troubles.append("the lane of \(name) was damaged or killed the exporter, and was replaced by an empty one")
        }
        if !suspicion.held.isEmpty {
            troubles.append("\(suspicion.held.count) agent(s) held off for killing ingest workers")
        }
        return troubles
    }

    private func trouble(of worker: SupervisedWorker) -> StatusText.Trouble? {
        let policy = worker.life.policy
        guard policy.isDegraded else { return nil }
        var next: UInt64?
        if case .waiting(let until) = worker.life.state { next = until > now ? until - now : 0 }
        return StatusText.Trouble(
            deaths: policy.deathsInRow,
            overNanoseconds: policy.lastDeathNanoseconds.elapsed(since: policy.firstDeathNanoseconds),
            lastCause: worker.life.lastFailure?.text ?? "before the reload", nextTryNanoseconds: next)
    }

    // MARK: ctl status

    func serviceStatus() -> ServiceStatus {
        let monotonic = MonotonicClock.nowNanoseconds()
        let startedAt = control.value(.serviceStartedAtNanoseconds)
        let reason = troubles().joined(separator: "; ")
        return ServiceStatus(
            version: ProxyVersion.current, processID: getpid(), phase: statusPhase,
            degradedReason: reason.isEmpty ? nil : reason, uptimeNanoseconds: monotonic - min(monotonic, startedAt),
            grpcAddress: estate.listeners.grpcAddress, httpAddress: estate.listeners.httpAddress,
            logLevel: changedLogLevel ?? settings.logLevel.rawValue,
            ingestWorkersWanted: Int(clamping: control.value(.ingestWorkersWanted)),
            workers: (ingest + leaving.filter { $0.role == .ingest } + successors + [exporter]
                + leaving.filter { $0.role == .exporter }).map(workerStatus),
            heldOffIdentities: suspicion.held.count,
            lastReload: lastReload.map {
                .init(isSuccess: $0.failure == nil, reason: $0.failure ?? "", atNanoseconds: $0.atNanoseconds)
            })
    }

    private var statusPhase: ServiceStatus.Phase {
        switch phase {
        case .starting: .starting
        case .serving: operation?.name == "reload" ? .reloading : .serving
        case .stopping: .stopping
        }
    }

    private func workerStatus(_ worker: SupervisedWorker) -> ServiceStatus.Worker {
        var status = ServiceStatus.Worker(name: worker.name, state: state(of: worker))
        status.processID = worker.pid
        status.generation = worker.generation
        if worker.process != nil { status.uptimeNanoseconds = now - min(now, worker.life.startedAtNanoseconds) }
        status.restarts = control.row(worker).restartCount
        status.deathsInRow = worker.life.policy.deathsInRow
        status.lastCause = worker.life.lastDeath?.cause.text
        if case .waiting(let until) = worker.life.state { status.nextStartNanoseconds = until - min(until, now) }
        if worker.role == .ingest, worker.life.state != .standby, let own = lanes(of: worker), own.upGauge.open() {
            status.ingest = own.upGauge.ingestStatus
        }
        return status
    }

    private func state(of worker: SupervisedWorker) -> ServiceStatus.Worker.State {
        switch worker.life.state {
        case .waiting: .waiting
        case .starting: .starting
        case .standby: .standby
        case .ready: worker.isLeaving ? .draining : .running
        case .aborted, .killed: .ending
        case .drained, .finished: .drained
        }
    }
}
