// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Logs
import Platform
import Rings
import Settings
import WorkerLink

/// Taking new programs and settings into service. The programs on disk are asked first; then this process becomes the new
/// supervisor, which goes on from the record of this one (``InheritanceRecord``).
extension FleetExecutor {
    // MARK: Before the exec

    func checkPrograms(isAsIs: Bool) {
        if isAsIs { reload.order = reload.orderAsIs(settings) }
        guard let order = reload.order else { return bring(.checked(failure: "there is nothing to reload")) }
        logger.notice("reload: checking the installed binaries", metadata: ["program": "\(order.programs.executable)"])
        do throws(SystemError) {
            let trial = try ProgramTrial(
                order.programs,
                arguments: ["--libexec-dir=\(order.programs.workerFolder)"] + order.arguments,
                environment: order.entries)
            reload.trial = trial
            try events.add(trial.process.pidfd, token: EventToken.check.rawValue)
        } catch {
            if let trial = reload.trial { processes.abandon(trial.process) }
            reload.trial = nil
            bring(.checked(failure: "\(error)"))
        }
    }

    func checkEnded() {
        guard let trial = reload.trial, let end = trial.process.reap() else { return }
        events.remove(trial.process.pidfd)
        let text = trial.text
        reload.trial = nil
        let program = reload.order?.programs.executable ?? "fodc-proxy"
        switch end {
        case .exited(code: 0): bring(.checked(failure: ProgramCheck.flaw(of: text).map { "\(program): \($0)" }))
        case .exited(let code):
            bring(.checked(failure: "\(program) --check: \(text.isEmpty ? "exit code \(code)" : text)"))
        case .killed(let signal, _):
            bring(.checked(failure: "\(program) --check ended by \(SignalName.of(signal)) \(text)"))
        }
    }

    /// Comes back only if it fails.
    func exec() {
        guard let order = reload.order else { return bring(.execFailed("there is nothing to reload")) }
        // Messages that wait to be sent would be lost with this program, and with them the descriptors that systemd is to store.
        guard service.isHeard else {
            return bring(.execFailed("systemd does not read its notifications; try again later"))
        }
        let sockets: [StoredDescriptorName.Role: Listeners.Socket]
        do throws(StartError) {
            sockets = try newSockets(order.settings)
        } catch {
            return bring(.execFailed("\(error)"))
        }
        let record = makeRecord(exec: makeExec(order, sockets))
        func giveUp(_ reason: String) {
            for socket in sockets.values { MemoryFile.close(socket.descriptor) }
            // The one that is there tells of an exec.
            keptRecord = []
            bring(.execFailed(reason))
        }
        do throws(SystemError) {
            try inherited.record.write(record.encoded)
        } catch {
            return giveUp("\(error)")
        }
        logger.notice("reload: switching to the new binary", metadata: ["program": "\(order.programs.executable)"])
        // systemd has to hear from us in time also if the new program takes a moment.
        service.ping()
        LogOutput.standard.writeAllRepeats()
        let error = ProgramChange.become(
            path: order.programs.executable, arguments: ["fodc-proxy", "--handover-fd=\(inherited.record.descriptor)"],
            environment: order.entries,
            keep: (record.exec?.descriptors.map(\.descriptor) ?? []) + [inherited.record.descriptor])
        giveUp("\(error)")
    }

    /// For addresses that are other than before. Opened here, so that one that is in use fails the reload and nothing else.
    private func newSockets(
        _ next: ProxySettings
    ) throws(StartError) -> [StoredDescriptorName.Role: Listeners.Socket] {
        var kept: [StoredDescriptorName.Role: Listeners.Socket] = [:]
        for place in ListeningPlace.all {
            guard let after = place.address(next) else { continue }
            guard try !isKept(place, after) else {
                kept[place.role] = inherited.listeners[place.role]
                continue
            }
            // The old sockets listen until all workers are replaced.
            for other in ListeningPlace.all where other.role != place.role && after.port != 0 {
                guard let before = other.address(settings), before.port == after.port, other.address(next) != before
                else { continue }
                throw StartError(
                    "\(place.flag.option) cannot take the port of \(other.flag.option), \(before.port), by a reload; "
                        + "restart the service")
            }
        }
        let opened = try Listeners.open(next, present: kept, generation: rings.nextGeneration, mayWait: false)
        return ListeningPlace.all.reduce(into: [:]) { result, place in
            if kept[place.role] == nil { result[place.role] = opened[place.role] }
        }
    }

    /// Whether the socket that is there is that of the address that is to come.
    private func isKept(_ place: ListeningPlace, _ after: ListenAddress) throws(StartError) -> Bool {
        guard let before = place.address(settings), let present = inherited.listeners[place.role] else { return false }
        if before == after { return true }
        // The same address in other words. (Port 0 would be any.)
        if after.port != 0,
            ListeningSocket.binding(of: present.descriptor, host: after.host, port: after.port, mayWait: false) == .same
        {
            return true
        }
        // Of two sockets on one port neither may have every address, and the old one listens until the end.
        guard before.port != after.port || after.port == 0 else {
            throw StartError(
                "\(place.flag.option) cannot change from \(before) to \(after) by a reload while the port is the same; "
                    + "restart the service")
        }
        return false
    }

    // MARK: After it

    /// Takes up where the program before this one stopped, and goes on with the reload.
    func resumeAfterExec(_ exec: InheritanceRecord.Exec, _ start: SupervisorStart) throws(StartError) {
        guard let record = start.inheritance.record else { return }
        let table = start.inheritance.table
        for slot in fleet.slots {
            for process in slot.processes { try adopt(process, slot.worker, exec, table) }
        }
        for own in rings.ingest {
            own.dataGauge.open()
            for gauge in own.commandGauges { gauge.open() }
        }
        for slot in fleet.slots {
            for process in slot.processes where process.readyAt != nil { resetWatch(process.id, slot.worker) }
        }
        keeper.keep(inherited)
        reload.previous = PreviousRelease(record, exec, table)
        let reply = table.descriptor(.reply).flatMap { requests?.adoptReply($0) }
        let wanted = start.wantedWorkers
        fleet.resumeAfterExec(
            wanted: wanted, configured: settings.ingestWorkers, records: settings.records, request: owe(reply))
        publishWanted()
        logger.notice(
            "reload: now running version \(ProxyVersion.current); replacing the workers",
            metadata: ["workers": "\(processes.running.count)"])
        logChanges(since: record.settings)
    }

    private func adopt(
        _ process: FleetProcess, _ worker: WorkerName, _ exec: InheritanceRecord.Exec, _ table: DescriptorTable
    ) throws(StartError) {
        guard let pid = exec.pids[process.id], let pidfd = table.descriptor(.pidfd(process.id)) else {
            throw StartError("cannot take over \(worker): the previous supervisor has not passed on its process")
        }
        do throws(SystemError) {
            let child = ChildProcess(adopting: pid, pidfd: pidfd)
            try processes.add(
                process.id, worker, generation: process.generation,
                StartedWorker(process: child, link: table.descriptor(.link(process.id)) ?? -1), now: now)
        } catch {
            throw StartError("cannot take over \(worker): \(error)")
        }
    }

    private func resetWatch(_ id: FleetProcess.ID, _ worker: WorkerName) {
        let ringCount =
            switch worker.role {
            case .ingest: RingSet.parities
            case .exporter: rings.ingest.count
            case .recorder: 0
            }
        processes[id]?.watch = LivenessWatchdog(ringCount: ringCount, nowNanoseconds: now)
    }

    /// One line for each flag whose value is another now: `--max-agents 7 -> 1000 (default)`.
    private func logChanges(since previous: ProxySettings) {
        for flag in SettingsFlag.allCases {
            let (before, after) = (previous.text(of: flag), settings.text(of: flag))
            guard before != after else { continue }
            logger.notice(
                """
                reload: \(flag.option) \(before ?? "none") -> \(after ?? "none")\(reload.given.contains(flag) ? "" : " (default)")
                """)
        }
    }

    // MARK: The outcome

    func countReload(_ failure: String?) {
        reload.last = ReloadOutcome(atNanoseconds: WallClock.nowNanoseconds(), failure: failure)
        reload.order = nil
        control.add(failure == nil ? .reloadsSucceeded : .reloadsFailed)
        control.set(.lastReloadAtNanoseconds, UInt64(bitPattern: WallClock.nowNanoseconds()))
    }

    /// Keeps how it went; settings and sockets of a reload that failed are taken back.
    func settleReload(_ failure: String?, keepsGRPC: Bool, keepsHTTP: Bool) {
        countReload(failure)
        guard let previous = reload.previous else { return }
        reload.previous = nil
        let tried = inherited.listeners.all
        if failure != nil {
            restore(previous, keepsGRPC: keepsGRPC, keepsHTTP: keepsHTTP)
        } else {
            for descriptor in previous.programs.values { MemoryFile.close(descriptor) }
        }
        let inUse = inherited.listeners.all.map(\.descriptor)
        for socket in tried + previous.sockets.values where !inUse.contains(socket.descriptor) {
            MemoryFile.close(socket.descriptor)
            if let name = socket.name { keeper.forget([name.description]) }
        }
    }

    private func restore(_ previous: PreviousRelease, keepsGRPC: Bool, keepsHTTP: Bool) {
        var kept: Set<SettingsFlag> = []
        for place in ListeningPlace.all {
            let socket = previous.sockets[place.role]
            // Replaced, given up, or opened by this reload.
            guard socket != nil || place.address(previous.settings) == nil else { continue }
            if place.role == .http ? keepsHTTP : keepsGRPC {
                kept.insert(place.flag)
                // The socket with TLS cannot be served without its certificates.
                if place.role == .grpcTLS { kept.formUnion(FlagGroup.agentAccess.flags) }
            } else {
                inherited.listeners[place.role] = socket
            }
        }
        let values =
            previous.settings.flagValues.filter { !kept.contains($0.flag) }
            + settings.flagValues.filter { kept.contains($0.flag) }
        starter.settings = (try? ProxySettings(flagValues: values)) ?? previous.settings
        starter.listeners = inherited.listeners
        starter.programs = WorkerPrograms(adopting: previous.programs, folder: previous.workerFolder)
        fleet.configured = settings.ingestWorkers
        changedLogLevel = previous.logLevel
        let level = previous.logLevel ?? settings.logLevel.rawValue
        onLogLevel(level)
        processes.sendAll(.logLevel(level))
    }
}
