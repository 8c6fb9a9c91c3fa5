// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import Settings
import WorkerLink

/// Step by step through what takes several workers' doing. Whatever goes wrong ends the operation, never the service: who
/// serves goes on serving.
extension Supervisor {
    /// A process becomes ready in milliseconds; taking over a full lane takes a second. `WorkerLife` gives up on one that is
    /// never ready before this ends, with the better reason.
    private static let stepNanoseconds: UInt64 = 25_000_000_000
    /// In which a worker sends its agents away.
    static let drainNanoseconds: UInt64 = 3_000_000_000
    /// In which an exporter that has a successor ends what it still runs.
    static let retireNanoseconds: UInt64 = 30_000_000_000
    /// On top of both, before who has not ended is killed.
    static let killAfterNanoseconds: UInt64 = 1_000_000_000

    /// Begins what is asked for; `whenDone` is called once, perhaps before this returns.
    func begin(_ wanted: Operation, _ whenDone: @escaping (Operation.Result) -> Void) {
        if let refusal = whyNot() { return whenDone(.failure(refusal)) }
        wanted.onDone(whenDone)
        operation = wanted
        logger.notice("\(wanted.name): begins")
        nextStep()
    }

    func endOperation(_ result: Operation.Result) {
        guard let ended = operation else { return }
        if ended.previous != nil {
            if case .failure(let reason) = result { finishReload(failure: reason) } else { finishReload(failure: nil) }
        }
        operation = nil
        releaseHeldWorkers()
        closeOldLanes()
        requests?.resume()
        // Who was to take somebody's place is of no use any more, and would stand by for ever.
        for next in successors { dismiss(next) }
        switch result {
        case .success(let text): logger.notice("\(ended.name): done", metadata: ["result": "\(text)"])
        case .failure(let reason): logger.error("\(ended.name) failed: \(reason)")
        }
        ended.finish(result)
        switch result {
        case .success(let text): ended.reply?.succeed(text)
        case .failure(let reason): ended.reply?.fail(reason)
        }
        tellStatus()
    }

    /// Nobody waits for it any more: it ends, and takes nobody's place until it has.
    func dismiss(_ next: SupervisedWorker) {
        successors.removeAll { $0 === next }
        next.isLeaving = true
        perform(next.life.killNow(), on: next)
        if next.process != nil { leaving.append(next) }
    }

    func nextStep() {
        guard let operation else { return }
        guard !operation.steps.isEmpty else {
            // Of the operation that is over the line does not tell.
            self.operation = nil
            // And nothing but a reload has to do with how the last one went.
            let line = statusLine(showsReload: operation.previous != nil)
            self.operation = operation
            return endOperation(.success(line))
        }
        let step = operation.steps.removeFirst()
        operation.current = step
        operation.deadlineNanoseconds = now + Self.stepNanoseconds
        if !holdLeavers(before: step, operation) { runCurrentStep() }
    }

    func runCurrentStep() {
        guard let operation, let step = operation.current else { return }
        switch step {
        case .replaceExporter: replaceExporter(operation)
        case .prepareIngest(let index): prepareIngest(index, operation)
        case .replaceIngest(let index): replaceIngest(index, operation)
        case .addIngest: addIngest(operation)
        case .removeIngest: removeIngest(operation)
        case .drainIngest(let index): drainIngest(index, operation)
        }
    }

    // MARK: Steps

    private func replaceExporter(_ operation: Operation) {
        guard exporter.life.isReady else { return startAnew(exporter, operation) }
        let next = SupervisedWorker(
            .exporter, index: 0, generation: exporter.generation,
            life: WorkerLife(successorOf: exporter.life, nowNanoseconds: now), nowNanoseconds: now)
        startSuccessor(next, operation)
    }

    /// One that does not serve is not replaced but started anew, when its turn comes.
    private func prepareIngest(_ index: Int, _ operation: Operation) {
        guard ingest.indices.contains(index), ingest[index].life.isReady, !operation.isNew(ingest[index]) else {
            return nextStep()
        }
        startSuccessor(of: ingest[index], operation)
    }

    private func replaceIngest(_ index: Int, _ operation: Operation) {
        guard ingest.indices.contains(index) else { return nextStep() }
        let present = ingest[index]
        // Somebody wants it to stay away; what brings it back is a restart of it alone.
        if operation.previous != nil, present.life.state == .drained { return nextStep() }
        if operation.isNew(present) {
            // It died in the meantime, and its successor is what it is to be.
            guard !present.life.isReady else { return nextStep() }
            operation.awaited = present
            return
        }
        if let next = successor(of: present) {
            operation.awaited = next
            return takeTurns(present, next)
        }
        guard present.life.isReady else { return startAnew(present, operation) }
        startSuccessor(of: present, operation)
    }

    private func successor(of worker: SupervisedWorker) -> SupervisedWorker? {
        successors.first { $0.role == worker.role && $0.index == worker.index && $0.life.state == .standby }
    }

    private func startSuccessor(of present: SupervisedWorker, _ operation: Operation) {
        let next = SupervisedWorker(
            .ingest, index: present.index, generation: present.generation,
            life: WorkerLife(successorOf: present.life, nowNanoseconds: now), nowNanoseconds: now)
        next.startsFresh = present.startsFresh
        startSuccessor(next, operation)
    }

    private func startSuccessor(_ next: SupervisedWorker, _ operation: Operation) {
        operation.awaited = next
        successors.append(next)
        perform(next.life.tick(hang: nil, nowNanoseconds: now), on: next)
    }

    /// It does not serve, so nothing is lost by starting it as it is to be from now on.
    private func startAnew(_ worker: SupervisedWorker, _ operation: Operation) {
        operation.awaited = worker
        worker.life.resume(nowNanoseconds: now)
        guard worker.process == nil else {
            // It is not ready, or about to be killed, and of the program before: its successor is awaited.
            operation.awaitsOldEnd = true
            return perform(worker.life.kill(.requested), on: worker)
        }
        perform(worker.life.tick(hang: nil, nowNanoseconds: now), on: worker)
    }

    private func addIngest(_ operation: Operation) {
        let added: IngestLanes
        do throws(SystemError) {
            added = try lanes.append()
        } catch {
            return endOperation(.failure("the lanes of one more worker cannot be made: \(error)"))
        }
        for lane in added.all { keeper.keep(lane) }
        for worker in everyone where worker.process != nil {
            let parity = worker.role == .exporter ? worker.parity : nil
            worker.send(.lane(index: added.index), descriptors: added.descriptors(parity: parity).list)
        }
        let worker = makeIngest(added.index)
        ingest.append(worker)
        startAnew(worker, operation)
    }

    private func removeIngest(_ operation: Operation) {
        guard ingest.count > 1, let worker = ingest.popLast() else { return nextStep() }
        // Its lane goes to the first one, which therefore has to be there.
        if ingest[0].life.state == .drained { ingest[0].life.resume(nowNanoseconds: now) }
        operation.awaited = worker
        worker.life.end()
        guard worker.process != nil else { return adoptLane(worker.index) }
        leaving.append(worker)
        sendAway(worker)
    }

    private func drainIngest(_ index: Int, _ operation: Operation) {
        let worker = ingest[index]
        operation.awaited = worker
        worker.life.drain()
        guard worker.process != nil else {
            control.drained(worker)
            return nextStep()
        }
        sendAway(worker)
    }

    /// Its agents go to the others, or, where a successor stands by, wait a moment for that.
    func sendAway(_ worker: SupervisedWorker, isReplaced: Bool = false) {
        worker.isLeaving = true
        worker.killAtNanoseconds = now + Self.drainNanoseconds + Self.killAfterNanoseconds
        control.draining(worker, isReplaced: isReplaced)
        lanes.ringAll()
        worker.send(.drain(deadlineNanoseconds: MonotonicClock.nowNanoseconds() + Self.drainNanoseconds))
    }

    // MARK: What workers say meanwhile

    /// A new ingest process could serve: now the old one may go, if it is its turn.
    func standsBy(_ worker: SupervisedWorker) {
        guard successors.contains(where: { $0 === worker }), worker.life.stoodBy() else { return }
        if let operation, operation.awaited === worker, case .prepareIngest? = operation.current {
            operation.awaited = nil
            // Its predecessor may have died while this one came up.
            if ingest[worker.index].process == nil { giveLane(to: worker) }
            return nextStep()
        }
        takeTurns(ingest[worker.index], worker)
    }

    private func takeTurns(_ present: SupervisedWorker, _ next: SupervisedWorker) {
        guard present.process != nil else { return giveLane(to: next) }
        present.life.end()
        sendAway(present, isReplaced: true)
    }

    private func giveLane(to next: SupervisedWorker) {
        successors.removeAll { $0 === next }
        ingest[next.index] = next
        control.starting(next, after: .requested)
        control.started(next)
        next.life.tookLane(nowNanoseconds: now)
        lanes.ringAll()
        next.send(.takeLane)
    }

    func operationWorkerReady(_ worker: SupervisedWorker) {
        if worker.role == .ingest, worker.index == 0, case .removeIngest? = operation?.current,
            let leaver = operation?.awaited, leaver.process == nil
        {
            adoptLane(leaver.index)  // the last one that was told to has died over it
            return
        }
        guard let operation, operation.awaited === worker else { return }
        switch operation.current {
        // Of one that was being started when it was told to go the end is awaited.
        case .removeIngest, .drainIngest: return
        default: break
        }
        if worker.role == .exporter, worker !== exporter { takeOver(worker) }
        operation.awaited = nil
        nextStep()
    }

    private func takeOver(_ next: SupervisedWorker) {
        let old = exporter
        successors.removeAll { $0 === next }
        exporter = next
        old.isLeaving = true
        old.life.end()
        guard old.process != nil else { return }
        leaving.append(old)
        old.killAtNanoseconds = now + Self.retireNanoseconds + Self.killAfterNanoseconds
        control.draining(old)
        old.send(.retire(deadlineNanoseconds: MonotonicClock.nowNanoseconds() + Self.retireNanoseconds))
    }

    func operationWorkerDied(_ worker: SupervisedWorker, _ death: WorkerLife.Death) {
        if worker.role == .ingest, ingest.indices.contains(worker.index), ingest[worker.index] === worker {
            if presentIngestDied(worker) { return }
        }
        guard let operation, operation.awaited === worker, let step = operation.current else { return }
        if operation.awaitsOldEnd {
            operation.awaitsOldEnd = false
            operation.awaited = worker.role == .ingest ? ingest[worker.index] : worker
            return worker.life.resume(nowNanoseconds: now)
        }
        switch step {
        case .removeIngest: adoptLane(worker.index)
        case .drainIngest: nextStep()
        case .addIngest, .prepareIngest, .replaceIngest, .replaceExporter:
            endOperation(.failure("\(step.text) did not become ready: \(death.cause.text); its own log lines say why"))
        }
    }

    /// The one that had the lane. `true`: no more is to be done.
    private func presentIngestDied(_ worker: SupervisedWorker) -> Bool {
        let next = successors.first { $0.role == .ingest && $0.index == worker.index }
        if let next, next.life.state == .standby {
            giveLane(to: next)
            return true
        }
        if phase == .serving, worker.life.state == .finished {
            // It went for a successor that is not there: somebody has to be.
            let again = makeIngest(worker.index)
            again.startsFresh = worker.startsFresh
            if worker.life.isDraining { again.life.drain() }
            ingest[worker.index] = again
        }
        guard let next else { return false }
        // It has not come up yet. Who has died is started again by its own life, as what it is to be.
        dismiss(next)
        if let operation, operation.awaited === next { operation.awaited = ingest[worker.index] }
        return true
    }

    func operationTick() {
        if hasPendingReload, whyNot() == nil { beginPendingReload() }
        holdTick()
        guard check == nil, let operation, now >= operation.deadlineNanoseconds else { return }
        if operation.current == .removeIngest, let index = operation.awaited?.index {
            logger.error("a lane was not adopted in time: its last values go", metadata: ["worker": "ingest-\(index)"])
            return dropLane(index)
        }
        let who = operation.current?.text ?? operation.name
        endOperation(.failure("\(who) was not ready within \(Self.stepNanoseconds / 1_000_000_000) s"))
    }

    // MARK: Lanes of workers that are no more

    private func adoptLane(_ index: Int) {
        guard let adopter = ingest.first, lanes.ingest[index].upGauge.open() else { return dropLane(index) }
        // One that does not serve yet is told when it does.
        if adopter.life.isReady { adopter.send(.adopt(index: index)) }
    }

    func adopted(_ index: Int, by worker: SupervisedWorker) {
        guard case .removeIngest? = operation?.current, operation?.awaited?.index == index, worker === ingest.first,
            operation?.awaited?.process == nil
        else { return }
        dropLane(index)
    }

    private func dropLane(_ index: Int) {
        guard index == lanes.ingest.count - 1, index == ingest.count else { return nextStep() }
        for worker in everyone { worker.send(.laneGone(index: index)) }
        let gone = lanes.removeLast()
        keeper.forget(gone.all)
        gone.close()
        nextStep()
    }

    /// Lanes that are no more go with the last process that has them; not while a reload may have to go back to them.
    func closeOldLanes() {
        guard operation?.previous == nil else { return }
        oldLanes.removeAll { set in
            guard !everyone.contains(where: { $0.laneSet === set && $0.process != nil }) else { return false }
            set.close()
            return true
        }
    }

    // MARK: Scale

    func steps(toScale count: Int) -> [Operation.Step] {
        let difference = count - ingest.count
        return Array(repeating: difference > 0 ? .addIngest : .removeIngest, count: abs(difference))
    }

    /// A predecessor has left more lanes than there are to be workers: they are adopted.
    func adoptLeftLanes() {
        let wanted = estate.wantedWorkers(settings)
        guard ingest.count > wanted else { return }
        begin(Operation(name: "scale \(wanted)", steps: steps(toScale: wanted))) { _ in }
    }
}
