// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import RingMessages
import Rings
import Settings
import WorkerLink

/// The status that was published last.
struct PublishedStatus {
    var lastPingNanoseconds: UInt64 = 0
    var line = ""
    /// `nil`: nothing has been told yet, and the table of workers may bear what a predecessor has.
    var degradedReason: String?
}

/// How the service is, for systemd, for `/health` and for `ctl status`.
extension FleetExecutor {
    /// Tells everybody, if something has changed.
    func publishStatus() {
        for slot in fleet.presentSlots {
            control.refreshDeaths(
                WorkerTable.Entry(
                    worker: slot.worker, generation: slot.servingGeneration, deathsInRow: slot.policy.deathsInRow))
        }
        let reason = fleet.troubles.joined(separator: "; ")
        if reason != published.degradedReason {
            published.degradedReason = reason
            control.setDegradedReason(reason)
        }
        guard fleet.phase == .serving else { return }
        let line = statusLine()
        guard line != published.line else { return }
        published.line = line
        service.status(line)
    }

    func notifyReady() {
        published.line = statusLine()
        service.ready(status: published.line)
        logger.notice("\(published.line)", metadata: ["version": "\(ProxyVersion.current)"])
    }

    /// Publishes the resource usage of this process, which no other process of its user can see.
    func publishUsage() {
        guard let usage = OwnProcess.current.usage() else { return }
        control.setUsage(usage)
    }

    func publishWanted() {
        control.set(.ingestWorkersWanted, UInt64(fleet.wanted))
    }

    /// - Parameter showsReload: whether it tells that the last reload has failed.
    func statusLine(showsReload: Bool = true) -> String {
        func report(_ slot: Slot) -> StatusText.Worker { .init(name: "\(slot.worker)", isReady: slot.isServing) }
        let ingest = fleet.presentSlots.filter { $0.worker.role == .ingest }
        return StatusText.line(
            ingest: ingest.map(report), exporter: report(fleet.exporter),
            listening: inherited.listeners.text, troubles: fleet.troubles, underWay: fleet.work.name,
            reloadFailure: showsReload ? reload.last?.failure : nil)
    }

    // MARK: ctl status

    func serviceStatus() -> ServiceStatus {
        let monotonic = MonotonicClock.nowNanoseconds()
        let startedAt = control.value(.serviceStartedAtNanoseconds)
        let reason = fleet.troubles.joined(separator: "; ")
        return ServiceStatus(
            version: ProxyVersion.current, processID: getpid(), phase: statusPhase,
            degradedReason: reason.isEmpty ? nil : reason, uptimeNanoseconds: monotonic - min(monotonic, startedAt),
            grpcAddress: inherited.listeners.address(.grpc) ?? ListeningPlace.none,
            grpcTLSAddress: inherited.listeners.address(.grpcTLS),
            httpAddress: inherited.listeners.address(.http) ?? ListeningPlace.none,
            sandbox: sandboxText, logLevel: changedLogLevel ?? settings.logLevel.rawValue,
            ingestWorkersWanted: fleet.wanted,
            workers: workers, quarantinedIdentities: fleet.attribution.quarantined.count,
            lastReload: reload.last.map {
                .init(isSuccess: $0.failure == nil, reason: $0.failure ?? "", atNanoseconds: $0.atNanoseconds)
            })
    }

    private var statusPhase: ServiceStatus.Phase {
        switch fleet.phase {
        case .starting: .starting
        case .serving: fleet.work.name == Rollout.Kind.reload.name ? .reloading : .serving
        case .stopping: .stopping
        }
    }

    /// Ingest workers in service first, then those that come and go, then exporters, then the recorder.
    private var workers: [ServiceStatus.Worker] {
        var (first, then): ([ServiceStatus.Worker], [ServiceStatus.Worker]) = ([], [])
        for slot in fleet.ingest {
            if slot.serving != nil || !slot.isLeavingForGood {
                let status = status(slot, slot.serving, isServing: true)
                if slot.isLeavingForGood { then.append(status) } else { first.append(status) }
            }
            then += slot.retiring.map { status(slot, $0, isServing: false) }
            if let standby = slot.standby { then.append(status(slot, standby, isServing: false)) }
        }
        let exporter = fleet.exporter
        var last = [status(exporter, exporter.serving, isServing: true)]
        if let standby = exporter.standby { last.insert(status(exporter, standby, isServing: false), at: 0) }
        last += exporter.retiring.map { status(exporter, $0, isServing: false) }
        if let recorder = fleet.recorder { last.append(status(recorder, recorder.serving, isServing: true)) }
        return first + then + last
    }

    private func status(_ slot: Slot, _ process: FleetProcess?, isServing: Bool) -> ServiceStatus.Worker {
        var status = ServiceStatus.Worker(name: "\(slot.worker)", state: state(slot, process))
        let generation = process?.generation ?? slot.servingGeneration
        status.processID = process.flatMap { processes[$0.id]?.child.pid } ?? 0
        status.generation = generation
        if let process { status.uptimeNanoseconds = now - min(now, process.startedAt) }
        status.restarts = control.row(slot.worker, generation: generation).restartCount
        status.deathsInRow = slot.policy.deathsInRow
        status.lastCause = isServing ? slot.lastEnd?.text : DeathCause.requested.text
        if process == nil, slot.goal.edition != nil {
            status.nextStartNanoseconds = slot.startAt - min(slot.startAt, now)
        }
        if isServing, let own = rings(slot.worker.index), slot.worker.role == .ingest, own.dataGauge.open() {
            status.ingest = own.dataGauge.ingestStatus
        }
        return status
    }

    private func state(_ slot: Slot, _ process: FleetProcess?) -> ServiceStatus.Worker.State {
        switch process?.state {
        case .starting: .starting
        case .standby: .standby
        case .serving: .running
        case .draining: .draining
        case .aborting, .killing: .ending
        case nil: slot.goal.edition == nil ? .drained : .waiting
        }
    }
}
