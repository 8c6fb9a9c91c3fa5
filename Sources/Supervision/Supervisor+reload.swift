// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Logging
import Logs
import Platform
import Settings
import WorkerLink

/// Taking new programs and settings into service. The programs on disk are asked first; then this process becomes the new
/// supervisor (``Handover``), which replaces the workers one by one.
extension Supervisor {
    // MARK: Before

    func beginReload(_ order: ReloadOrder, reply: ControlReply?) {
        let operation = Operation(name: "reload", steps: [])
        // That is nothing that the settings or the programs have to do with: not counted as a reload that failed.
        if let refusal = whyNot() {
            reply?.fail(refusal)
            return logger.error("reload refused: \(refusal)")
        }
        self.operation = operation
        operation.order = order
        operation.reply = reply
        operation.deadlineNanoseconds = now + ProgramTrial.limitNanoseconds
        logger.notice("reload: asking the programs on disk", metadata: ["program": "\(order.programs.executable)"])
        do throws(SystemError) {
            let check = try ProgramTrial(
                order.programs,
                arguments: ["--libexec-dir=\(order.programs.workerFolder)"] + order.arguments,
                environment: environment(for: order))
            self.check = check
            try events.add(check.process.pidfd, token: EventToken.check.rawValue)
        } catch {
            if let check {
                check.process.signal(SIGKILL)
                unwatched.append(check.process)
            }
            failReload("\(error)")
        }
        tellStatus()
    }

    /// What a SIGHUP asks for: new programs, and the settings as they are.
    func reloadAsIs() {
        guard whyNot() == nil || phase == .stopping else {
            // One is enough: it takes what is on disk by then.
            if !hasPendingReload { logger.notice("reload: remembered until \(operation?.name ?? "the start") is done") }
            hasPendingReload = true
            return
        }
        let arguments = settings.flagValues.map { "\($0.flag.option)=\($0.value)" }
        beginReload(
            ReloadOrder(settings: settings, arguments: arguments, environment: nil, programs: programs), reply: nil)
    }

    func beginPendingReload() {
        hasPendingReload = false
        reloadAsIs()
    }

    /// Whoever asked for it may be a script that nobody reads: counted, and in the status line.
    func refuseReload(_ reason: String, _ reply: ControlReply?) {
        logger.error("reload refused: \(reason)")
        noteReload(failure: reason)
        reply?.fail(reason)
        tellStatus()
    }

    private func noteReload(failure: String?) {
        lastReload = ReloadOutcome(atNanoseconds: WallClock.nowNanoseconds(), failure: failure)
        control.add(failure == nil ? .reloadsSucceeded : .reloadsFailed)
        control.set(.lastReloadAtNanoseconds, UInt64(bitPattern: WallClock.nowNanoseconds()))
    }

    /// Why nothing can be begun now.
    func whyNot() -> String? {
        if phase != .serving { return "the service is \(phase == .starting ? "still starting" : "being stopped")" }
        return operation.map { "busy with \($0.name); try again when that is done" }
    }

    private func environment(for order: ReloadOrder) -> [String] {
        guard let given = order.environment else { return ProcessEnvironment.entries(without: []) }
        let replaced = ["STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CACHE_DIRECTORY", "TMPDIR"]
        let kept = ProcessEnvironment.entries(without: []).filter { entry in
            let name = entry.prefix { $0 != "=" }
            let isSetting = [SettingsFlag.variablePrefix, SettingsFlag.upstreamVariablePrefix].contains {
                name.hasPrefix($0)
            }
            return !isSetting && !replaced.contains(String(name))
        }
        return kept + given.map { "\($0.name)=\($0.value)" }
    }

    func checkTick() {
        guard let check, let operation, operation.order != nil, now >= operation.deadlineNanoseconds else { return }
        check.process.signal(SIGKILL)
    }

    func checkEnded() {
        guard let check, let end = check.process.reap() else { return }
        events.remove(check.process.pidfd)
        let text = check.text
        self.check = nil
        switch end {
        case .exited(code: 0):
            if let flaw = ProgramCheck.flaw(of: text) { return failReload("\(programsText): \(flaw)") }
            // It may have been given up meanwhile: the service is being stopped.
            guard let operation, operation.order != nil else { return }
            operation.isApproved = true
            operation.deadlineNanoseconds = now + Self.askersNanoseconds
            requests?.hold()
            becomeNextIfQuiet()
        case .exited(let code): failReload("\(programsText) --check: \(text.isEmpty ? "exit code \(code)" : text)")
        case .killed(let signal, _): failReload("\(programsText) --check ended by \(SignalName.of(signal)) \(text)")
        }
    }

    private var programsText: String { operation?.order?.programs.executable ?? "fodc-proxy" }

    private func failReload(_ reason: String) {
        if let check {
            events.remove(check.process.pidfd)
            self.check = nil
        }
        guard operation?.order != nil else { return }
        finishReload(failure: reason)
        endOperation(.failure(reason))
    }

    /// Above what the control socket gives its askers.
    private static let askersNanoseconds =
        2 * (ControlServer.requestLimitNanoseconds + ControlServer.readerLimitNanoseconds)

    /// The exec closes connections of the control socket: who is about to ask something is answered before.
    func becomeNextIfQuiet() {
        guard operation?.isApproved == true, requests?.isQuiet ?? true else { return }
        becomeNext()
    }

    /// The exec. Comes back only if it fails.
    private func becomeNext() {
        guard let operation, let order = operation.order else { return }
        // What waits to be told would be lost with this program, and with it what systemd is to keep.
        guard service.isHeard else { return failReload("systemd does not read what it is told; try again later") }
        let sockets: (grpc: Listeners.Socket?, http: Listeners.Socket?)
        do throws(StartError) {
            sockets = try newSockets(order.settings)
        } catch {
            return failReload("\(error)")
        }
        var handover = makeHandover(order, reply: operation.reply?.descriptor)
        if let grpc = sockets.grpc { (handover.previousGRPC, handover.grpc) = (handover.grpc, grpc) }
        if let http = sockets.http { (handover.previousHTTP, handover.http) = (handover.http, http) }
        func giveUp(_ error: SystemError) {
            for socket in [sockets.grpc, sockets.http] {
                if let socket { MemoryFile.close(socket.descriptor) }
            }
            failReload("\(error)")
        }
        let memory: Int32
        do throws(SystemError) {
            let bytes = handover.encoded
            memory = try MemoryFile.create(name: "fodc-handover", byteCount: bytes.count)
            try SmallFile.writeAll(bytes, to: memory, name: "fodc-handover")
        } catch {
            return giveUp(error)
        }
        logger.notice("reload: becoming the program on disk", metadata: ["program": "\(order.programs.executable)"])
        // systemd has to hear from us in time also if the new program takes a moment.
        service.ping()
        LogOutput.standard.tellAllRepeats()
        let error = ProgramChange.become(
            path: order.programs.executable, arguments: ["fodc-proxy", "--handover-fd=\(memory)"],
            environment: environment(for: order), keep: handover.descriptors + [memory])
        MemoryFile.close(memory)
        giveUp(error)
    }

    /// For addresses that are other than before. Opened here, so that one that is in use fails the reload and nothing else.
    private func newSockets(
        _ next: ProxySettings
    ) throws(StartError) -> (grpc: Listeners.Socket?, http: Listeners.Socket?) {
        func isSame(
            _ flag: SettingsFlag, _ present: Listeners.Socket, _ before: ListenAddress, _ after: ListenAddress
        ) throws(StartError) -> Bool {
            if before == after { return true }
            // The same address in other words. (Port 0 would be any.)
            if after.port != 0,
                ListeningSocket.binding(of: present.descriptor, host: after.host, port: after.port, mayWait: false)
                    == .same
            {
                return true
            }
            // Of two sockets on one port neither may have every address, and the old one listens until the end.
            guard before.port != after.port || after.port == 0 else {
                throw StartError(
                    "\(flag.option) cannot change from \(before) to \(after) by a reload while the port is the same; "
                        + "restart the service")
            }
            return false
        }
        let present = estate.listeners
        let isSame = (
            grpc: try isSame(.grpcListenAddress, present.grpc, settings.grpcListenAddress, next.grpcListenAddress),
            http: try isSame(.httpListenAddress, present.http, settings.httpListenAddress, next.httpListenAddress)
        )
        guard !isSame.grpc || !isSame.http else { return (nil, nil) }
        let opened = try Listeners.open(
            next, grpc: isSame.grpc ? estate.listeners.grpc : nil, http: isSame.http ? estate.listeners.http : nil,
            generation: lanes.nextGeneration, mayWait: false)
        return (isSame.grpc ? nil : opened.grpc, isSame.http ? nil : opened.http)
    }

    private func makeHandover(_ order: ReloadOrder, reply: Int32?) -> Handover {
        var handover = Handover(
            layout: estate.layout, arguments: order.arguments, previous: settings, programs: order.programs,
            previousWorkerFolder: programs.workerFolder, previousPrograms: starter.programs.descriptors,
            steadyNanoseconds: now, logLevel: changedLogLevel,
            lock: lock?.descriptor,
            controlSocket: requests?.descriptor, reply: reply, grpc: estate.listeners.grpc,
            http: estate.listeners.http, nextGeneration: lanes.nextGeneration + 1)
        handover.lanes = lanes.all.map { Handover.KeptLane(name: $0.name, writable: $0.writable) }
        handover.lanes.append(Handover.KeptLane(name: control.name, writable: control.writable))
        for own in lanes.ingest {
            for (parity, bell) in own.bells.enumerated() {
                handover.bells.append(
                    Handover.Bell(
                        index: own.index, parity: parity, ingestEnd: bell.ingestEnd.descriptor,
                        exporterEnd: bell.exporterEnd.descriptor))
            }
        }
        handover.workers = everyone.map { worker in
            let policy = worker.life.policy
            return Handover.Worker(
                role: worker.role, index: worker.index, generation: worker.generation, pid: worker.pid,
                pidfd: worker.process?.pidfd ?? -1, link: worker.link, state: worker.life.state,
                startedAtNanoseconds: worker.life.startedAtNanoseconds,
                readyAtNanoseconds: worker.life.readyAtNanoseconds,
                policy: [
                    UInt64(policy.deathsInRow), policy.firstDeathNanoseconds, policy.lastDeathNanoseconds,
                ], isLeaving: worker.isLeaving && leaving.contains { $0 === worker },
                isDraining: worker.life.isDraining, startsFresh: worker.startsFresh,
                hasOldLanes: worker.laneSet !== lanes,
                lastCause: worker.life.lastDeath?.cause, killAtNanoseconds: worker.killAtNanoseconds,
                lastFailure: worker.life.lastFailure)
        }
        handover.startFlags = startFlags
        handover.hasPendingReload = hasPendingReload
        handover.obsoleteNames = keeper.unremoved
        handover.suspicion = suspicion
        handover.quarantine = lastQuarantine
        return handover
    }

    // MARK: After

    /// Takes up where the program before this one stopped, and goes on with the reload.
    func adopt(_ handover: Handover) throws(StartError) {
        phase = .serving
        // A reload that changes the flag outweighs what somebody has set meanwhile.
        changedLogLevel = settings.logLevel == handover.previous.logLevel ? handover.logLevel : nil
        hasPendingReload = handover.hasPendingReload
        suspicion = handover.suspicion
        lastQuarantine = handover.quarantine
        let isNewLayout = estate.isForeign
        ingest = []
        for said in handover.workers {
            let worker = try revive(said)
            worker.laneSet = said.hasOldLanes ? nil : lanes
            if said.isLeaving {
                leaving.append(worker)
            } else if said.role == .exporter {
                exporter = worker
            } else if said.index == ingest.count {
                ingest.append(worker)
            }
        }
        guard !ingest.isEmpty, exporter.generation > 0, ingest.count == lanes.ingest.count else {
            throw StartError("what the program before this one has handed over tells of no workers")
        }
        if isNewLayout {
            try renewLanes()
        } else {
            for own in lanes.ingest {
                own.upGauge.open()
                for gauge in own.downGauges { gauge.open() }
            }
        }
        keeper.keep(estate)
        let operation = Operation(name: "reload", steps: [])
        operation.previous = handover
        operation.reply = handover.reply.flatMap { requests?.adoptReply($0) }
        self.operation = operation
        // Who has died meanwhile comes first.
        for worker in everyone {
            if let end = worker.reap() { bury(worker, end) }
        }
        let wanted =
            settings.ingestWorkers == handover.previous.ingestWorkers
            ? estate.wantedWorkers(settings) : settings.ingestWorkers
        estate.setWantedWorkers(wanted, settings: settings, isScaled: wanted != settings.ingestWorkers)
        operation.steps = reloadSteps(wanted: wanted, isNewLayout: isNewLayout)
        logger.notice(
            "reload: this is version \(ProxyVersion.current) now; replacing the workers",
            metadata: ["workers": "\(everyone.count)"])
        logChanges(since: handover.previous)
        nextStep()
    }

    /// One line for each flag whose value is another now: `--max-agents 7 -> 1000 (default)`.
    private func logChanges(since previous: ProxySettings) {
        for flag in SettingsFlag.allCases {
            let (before, after) = (previous.text(of: flag), settings.text(of: flag))
            guard before != after else { continue }
            logger.notice(
                """
                reload: \(flag.option) \(before ?? "none") -> \(after ?? "none")\(given.contains(flag) ? "" : " (default)")
                """)
        }
    }

    private func reloadSteps(wanted: Int, isNewLayout: Bool) -> [Operation.Step] {
        let scaling = steps(toScale: wanted)
        let staying = 0..<min(wanted, ingest.count)
        let ingestSteps = staying.map(Operation.Step.replaceIngest)
        // Of another layout the old exporter cannot read what the new workers write: it serves last-known values until all
        // agents are there.
        if isNewLayout {
            return (0..<ingest.count).map(Operation.Step.prepareIngest)
                + (0..<ingest.count).map(Operation.Step.replaceIngest) + [.replaceExporter] + scaling
        }
        // Every new program has come up before one of the old ones goes: a reload that fails leaves them all.
        return staying.map(Operation.Step.prepareIngest) + [.replaceExporter]
            + (wanted < ingest.count ? scaling + ingestSteps : ingestSteps + scaling)
    }

    private func revive(_ said: Handover.Worker) throws(StartError) -> SupervisedWorker {
        let policy = RestartPolicy(
            deathsInRow: Int(clamping: said.policy[0]), firstDeathNanoseconds: said.policy[1],
            lastDeathNanoseconds: said.policy[2])
        let worker = SupervisedWorker(
            said.role, index: said.index, generation: said.generation,
            life: WorkerLife(
                state: said.state, policy: policy, startedAtNanoseconds: said.startedAtNanoseconds,
                readyAtNanoseconds: said.readyAtNanoseconds, isEnding: said.isLeaving, isDraining: said.isDraining,
                lastCause: said.lastCause, lastFailure: said.lastFailure), nowNanoseconds: now)
        worker.isLeaving = said.isLeaving
        worker.startsFresh = said.startsFresh
        worker.killAtNanoseconds = said.killAtNanoseconds
        worker.watch = HangWatch(
            laneCount: said.role == .ingest ? LaneSet.parities : lanes.ingest.count, nowNanoseconds: now)
        guard said.pid > 0, said.pidfd >= 0 else { return worker }
        do throws(SystemError) {
            let process = ChildProcess(adopting: said.pid, pidfd: said.pidfd)
            try worker.adopt(StartedWorker(process: process, link: said.link), events: events)
        } catch {
            throw StartError("\(worker.name) cannot be watched: \(error)")
        }
        return worker
    }

    /// Empty lanes of this program's layout; those of the other stay until nobody uses them.
    private func renewLanes() throws(StartError) {
        let old = estate.lanes
        logger.notice("reload: the layout of lanes is another: they begin empty, agents are asked anew")
        estate.lanes = try old.makeSuccessor()
        estate.layout = LaneFormat.version
        oldLanes.append(old)
    }

    /// Whether somebody serves on lanes that are no more. (Who has died in the course of the reload may be new already.)
    private func hasOldOnes(_ isNew: (SupervisedWorker) -> Bool) -> Bool {
        guard let previous = oldLanes.last, previous.ingest.count == ingest.count else { return false }
        return present.contains { $0.process != nil && $0.laneSet !== lanes } || !ingest.contains(where: isNew)
    }

    /// To those of the programs before, which are to serve on; who has been started for the new ones starts again.
    private func returnToLanes(of handover: Handover) {
        guard let previous = oldLanes.popLast() else { return }
        let given = lanes
        previous.skipGenerations(to: given.nextGeneration)
        estate.lanes = previous
        estate.layout = handover.layout
        oldLanes.append(given)
        logger.notice("reload: the lanes are those of the programs before again")
        for worker in present where worker.laneSet === given && worker.process != nil {
            perform(worker.life.kill(.requested), on: worker)
        }
    }

    /// Counts and keeps how it went; settings and sockets of a reload that failed are taken back.
    func finishReload(failure: String?) {
        noteReload(failure: failure)
        guard let handover = operation?.previous else { return }
        if failure != nil {
            takeBack(handover)
        } else {
            for descriptor in handover.previousPrograms.values { MemoryFile.close(descriptor) }
        }
        for set in oldLanes { keeper.forget(set.lanesOfOneLayout.map(\.name.description)) }
        let inUse = estate.listeners.all.map(\.descriptor)
        let candidates = [handover.grpc, handover.http, handover.previousGRPC, handover.previousHTTP].compactMap { $0 }
        for socket in candidates where !inUse.contains(socket.descriptor) {
            MemoryFile.close(socket.descriptor)
            if let name = socket.name { keeper.forget([name.description]) }
        }
    }

    /// Who has been replaced already serves with the new settings, and where it listens is where it goes on listening; for
    /// all else the old ones hold.
    private func takeBack(_ handover: Handover) {
        func isNew(_ worker: SupervisedWorker) -> Bool { worker.life.isReady && operation?.isNew(worker) == true }
        // With another layout all go back or all stay.
        let isRenewed = handover.layout != LaneFormat.version && !hasOldOnes(isNew)
        if handover.layout != LaneFormat.version, !isRenewed { returnToLanes(of: handover) }
        var kept: [SettingsFlag: String] = [:]
        func keep(_ flag: SettingsFlag) { kept[flag] = settings.flagValues.first { $0.flag == flag }?.value }
        if let http = handover.previousHTTP {
            if isNew(exporter) { keep(.httpListenAddress) } else { estate.listeners.http = http }
        }
        if let grpc = handover.previousGRPC {
            if ingest.contains(where: isNew) { keep(.grpcListenAddress) } else { estate.listeners.grpc = grpc }
        }
        let values = handover.previous.flagValues.map { ($0.flag, kept[$0.flag] ?? $0.value) }
        settings = (try? ProxySettings(flagValues: values)) ?? handover.previous
        starter.settings = settings
        starter.listeners = estate.listeners
        estate.setWantedWorkers(
            ingest.count, settings: settings, isScaled: ingest.count != settings.ingestWorkers)
        changedLogLevel = handover.logLevel
        let level = handover.logLevel ?? settings.logLevel.rawValue
        onLogLevel(level)
        for worker in everyone { worker.send(.logLevel(level)) }
        // Who has just been started, with what is taken back now, has nothing to lose yet.
        for worker in present where operation?.isNew(worker) == true && !worker.life.isReady {
            perform(worker.life.kill(.requested), on: worker)
        }
        let previous = WorkerPrograms(adopting: handover.previousPrograms, folder: handover.previousWorkerFolder)
        if !isRenewed { starter.programs = previous }
    }
}
