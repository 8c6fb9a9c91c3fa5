// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// Requests of people and scripts. A request is answered once: at once when it is refused, else when its rollout ends.
extension Fleet {
    /// Checking the installed binaries takes some ten milliseconds.
    static let checkNanoseconds: UInt64 = 15_000_000_000
    /// Above what the control socket gives its askers.
    static let requestsNanoseconds =
        2 * (ControlServer.requestLimitNanoseconds + ControlServer.readerLimitNanoseconds)

    /// Why nothing can be begun now.
    var rejectionReason: String? {
        if phase != .serving { return "the service is \(phase == .starting ? "still starting" : "being stopped")" }
        return work.name.map { "busy with \($0); try again when that is done" }
    }

    private mutating func answer(_ request: RequestID?, _ answer: Answer) {
        if let request { emit(.reply(request, answer)) }
    }

    private mutating func begin(
        _ kind: Rollout.Kind, _ request: RequestID?, _ worker: WorkerName, _ goal: Goal
    ) {
        if let reason = rejectionReason { return answer(request, .failed(reason)) }
        begin(kind, request)
        setGoal(worker, goal)
    }

    mutating func scale(to count: Int, _ request: RequestID?) {
        if let reason = rejectionReason { return answer(request, .failed(reason)) }
        guard ingest.prefix(count).contains(where: \.isServing) else {
            return answer(
                request,
                .failed(
                    "none of the ingest workers that would remain is running; start one first (ctl restart ingest-0)"))
        }
        wanted = count
        emit(.publishWanted)
        guard count != ingest.count else {
            return answer(request, .done("\(count) ingest workers are running already"))
        }
        begin(.scale(count), request)
    }

    mutating func restart(_ worker: WorkerName, _ request: RequestID?) {
        guard exists(worker, request) else { return }
        lastRestart += 1
        begin(.restart(worker), request, worker, .serve(Edition(release: release, restart: lastRestart)))
    }

    mutating func drain(_ worker: WorkerName, _ request: RequestID?) {
        guard exists(worker, request) else { return }
        if worker.role == .recorder {
            return answer(
                request, .failed("the recorder cannot be drained: --record-interval 0 and a reload turn it off"))
        }
        guard worker.role == .ingest else {
            return answer(
                request, .failed("the exporter cannot be drained, because it is the only one; restart it instead"))
        }
        guard ingest.contains(where: { $0.worker != worker && $0.isServing }) else {
            return answer(
                request,
                .failed("\(worker) cannot be drained: no other ingest worker is running that could take its agents"))
        }
        begin(.drain(worker), request, worker, .drained)
    }

    /// Whether there is such a worker; the asker is told if not.
    private mutating func exists(_ worker: WorkerName, _ request: RequestID?) -> Bool {
        if exists(worker) { return true }
        let names = presentSlots.map { "\($0.worker)" }.joined(separator: ", ")
        answer(request, .failed("no such worker \(worker); available: \(names)"))
        return false
    }

    // MARK: Reload, before the exec

    mutating func reload(_ request: RequestID?) {
        beginCheck(request, isAsIs: false)
    }

    /// New programs, and the settings as they are. One that cannot begin now is remembered: it takes what is on disk by then.
    mutating func reloadAsIs() {
        guard phase == .stopping || rejectionReason == nil else {
            if !hasPendingReload { log(.notice, "reload: postponed until \(work.name ?? "the start") is done") }
            hasPendingReload = true
            return
        }
        beginCheck(nil, isAsIs: true)
    }

    private mutating func beginCheck(_ request: RequestID?, isAsIs: Bool) {
        if let reason = rejectionReason {
            // Neither settings nor programs are wrong: that counts as no reload that failed.
            answer(request, .failed(reason))
            return log(.error, "reload refused: \(reason)")
        }
        work = .checking(request, until: now + Self.checkNanoseconds)
        emit(.checkPrograms(isAsIs: isAsIs))
    }

    /// The requester may be a script whose output is not read: counted, and in the status line.
    mutating func refuseReload(_ reason: String, _ request: RequestID?) {
        log(.error, "reload refused: \(reason)")
        emit(.countReload(failure: reason))
        answer(request, .failed(reason))
    }

    mutating func checked(_ failure: String?) {
        // The reload may have been given up meanwhile: the service is being stopped.
        guard case .checking(let request, _) = work else { return }
        if let failure { return failReload(failure) }
        work = .approved(request, until: now + Self.requestsNanoseconds)
        emit(.pauseRequests)
    }

    mutating func failReload(_ reason: String, isCounted: Bool = true) {
        let request: RequestID?
        switch work {
        case .checking(let asker, _), .approved(let asker, _): request = asker
        case .idle, .rollout: return
        }
        if isCounted { emit(.countReload(failure: reason)) }
        work = .idle
        emit(.resumeRequests)
        emit(.finished(.reload, failure: reason, request))
    }

    mutating func tickWork() {
        switch work {
        case .idle:
            guard hasPendingReload, phase == .serving else { return }
            hasPendingReload = false
            reloadAsIs()
        case .checking(_, let until): if now >= until { emit(.stopCheck) }
        case .approved(_, let until):
            if now >= until { failReload("reload was not ready within \(Self.stepNanoseconds / 1_000_000_000) s") }
        case .rollout(let rollout): tickRollout(rollout)
        }
    }

    // MARK: After it

    /// The program that an exec has brought goes on with the reload: everybody is to be of its release.
    mutating func resumeAfterExec(wanted count: Int, configured flag: Int, records: Bool = false, request: RequestID?) {
        phase = .serving
        begin(.reload, request)
        lastRelease += 1
        release = lastRelease
        for worker in workers {
            guard var edition = self[worker].goal.edition else { continue }
            edition.release = release
            setGoal(worker, .serve(edition))
        }
        setRecords(records)
        (wanted, configured) = (count, flag)
        removeSlots(from: count)
    }

    /// A supervisor that systemd has started again goes on: no process of its predecessor lives.
    mutating func resumeAfterRestart(
        rings: Int, wanted count: Int, configured flag: Int, records: Bool = false, now: Instant
    ) {
        self.now = max(now, self.now)
        self = Fleet(goingOnFrom: self, rings: rings, wanted: count, configured: flag, records: records)
    }

    private init(goingOnFrom before: Fleet, rings: Int, wanted: Int, configured: Int, records: Bool) {
        self.init(
            rings: rings, wanted: wanted, configured: configured, isInherited: true, records: records, now: before.now,
            generation: before.lastGeneration)
        pastRecorderGeneration = before.lastGeneration(WorkerName(.recorder))
        (lastProcess, lastRestart) = (before.lastProcess, before.lastRestart)
        (release, lastRelease) = (before.lastRelease + 1, before.lastRelease + 1)
        (attribution, lastRingReset) = (before.attribution, before.lastRingReset)
        for worker in workers where before.exists(worker) {
            let old = before[worker]
            let isDrained = worker.role == .ingest && old.goal == .drained && worker.index < wanted
            self[worker].goal = isDrained ? .drained : .serve(Edition(release: release))
            self[worker].policy = old.policy
            (self[worker].lastEnd, self[worker].lastFailure) = (old.lastEnd, old.lastFailure)
            self[worker].needsEmptyRing = old.needsEmptyRing
        }
        // A service needs a worker that takes agents.
        if ingest.allSatisfy({ $0.goal == .drained }) { ingest[0].goal = .serve(Edition(release: release)) }
    }

    func lastGeneration(_ worker: WorkerName) -> UInt64 {
        if worker.role == .exporter { return exporter.generation }
        if worker.role == .recorder { return recorder?.generation ?? pastRecorderGeneration }
        return ingest.indices.contains(worker.index)
            ? ingest[worker.index].generation : pastGenerations[worker.index] ?? 0
    }
}
