// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// Who takes agents while several workers send theirs away. All that are about to leave stop accepting before the first of
/// them drains: an agent is moved once, and not from one worker that leaves to the next.
extension Supervisor {
    /// In which a worker confirms that it takes no more connections. One of a program before 0.2.0 cannot.
    private static let holdNanoseconds: UInt64 = 500_000_000

    /// - Returns: whether the workers' confirmations are awaited; the step is run when they have come.
    func holdLeavers(before step: Operation.Step, _ operation: Operation) -> Bool {
        guard step.sendsAgentsAway, !operation.hasHeldLeavers else { return false }
        operation.hasHeldLeavers = true
        let leavers = leavers(of: [step] + operation.steps, operation)
        // One alone stops accepting when it drains.
        guard leavers.count > 1 else { return false }
        for worker in leavers {
            worker.isHeld = true
            worker.send(.accepting(false))
            operation.awaitedHolds.insert(worker.number)
        }
        operation.holdDeadlineNanoseconds = now + Self.holdNanoseconds
        return true
    }

    private func leavers(of steps: [Operation.Step], _ operation: Operation) -> [SupervisedWorker] {
        var staying = ingest.count
        var leavers: [SupervisedWorker] = []
        for step in steps {
            switch step {
            case .replaceIngest(let index):
                if ingest.indices.contains(index), !operation.isNew(ingest[index]) { leavers.append(ingest[index]) }
            case .drainIngest(let index):
                if ingest.indices.contains(index) { leavers.append(ingest[index]) }
            case .removeIngest where staying > 1:
                staying -= 1
                leavers.append(ingest[staying])
            case .removeIngest, .addIngest, .prepareIngest, .replaceExporter: break
            }
        }
        return leavers.filter { $0.life.isReady }
    }

    /// The worker takes no more connections, or is gone.
    func holdConfirmed(_ worker: SupervisedWorker) {
        guard let operation, operation.awaitedHolds.remove(worker.number) != nil, operation.awaitedHolds.isEmpty else {
            return
        }
        runCurrentStep()
    }

    func holdTick() {
        guard let operation, !operation.awaitedHolds.isEmpty, now >= operation.holdDeadlineNanoseconds else { return }
        operation.awaitedHolds = []
        runCurrentStep()
    }

    /// The operation is over: those that are still there take connections again.
    func releaseHeldWorkers() {
        for worker in ingest {
            control.replacementEnded(worker)
            guard worker.isHeld else { continue }
            worker.isHeld = false
            worker.send(.accepting(true))
        }
    }
}

extension Operation.Step {
    var sendsAgentsAway: Bool {
        switch self {
        case .replaceIngest, .removeIngest, .drainIngest: true
        case .replaceExporter, .prepareIngest, .addIngest: false
        }
    }
}
