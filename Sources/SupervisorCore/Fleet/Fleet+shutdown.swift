// SPDX-License-Identifier: Apache-2.0
import WorkerLink

/// The end of the service.
extension Fleet {
    mutating func terminate(_ monotonic: UInt64) {
        perform(shutdown.signalled(nowNanoseconds: monotonic))
    }

    mutating func perform(_ step: ShutdownPlan.Step) {
        switch step {
        case .drain(let deadline): drainAll(deadline)
        case .hasten: for slot in slots { for process in slot.processes { emit(.send(process.id, .stop)) } }
        case .kill:
            for worker in workers {
                for place in self[worker].places {
                    guard let process = self[worker][place] else { continue }
                    log(.warning, "\(worker) did not exit in time: killing it", process.id)
                    kill(worker, place)
                }
            }
        }
    }

    private mutating func drainAll(_ deadline: UInt64) {
        phase = .stopping
        emit(.serviceStopping)
        forgetDeaths()
        let reason = "the service is being stopped"
        finishRollout(failure: reason)
        failReload(reason, isCounted: false)
        for worker in workers {
            for place in self[worker].places {
                switch self[worker][place]?.state {
                // The plan says when it is killed.
                case .starting, .standby, .serving: self[worker][place]?.state = .draining(until: .max)
                case .draining, .aborting, .killing, nil: break
                }
            }
        }
        // No ingest worker takes the agents that another one sends away. The exporter knows that the service ends before
        // their answers fail to come.
        let ingestProcesses = ingest.flatMap(\.processes)
        for process in ingestProcesses { emit(.send(process.id, .accepting(false))) }
        for process in exporter.processes + ingestProcesses + (recorder?.processes ?? []) {
            emit(.send(process.id, .drainAll(deadline: deadline)))
        }
    }

    /// A service that somebody stops and starts begins afresh: deaths before the stop delay nobody after it.
    private mutating func forgetDeaths() {
        attribution.forgetDeaths()
        for worker in workers { self[worker].policy = RestartPolicy() }
    }

    /// The start has failed: everything ends.
    mutating func failStart(_ reason: String) {
        guard startFailure == nil else { return }
        startFailure = reason
        phase = .stopping
        for worker in workers {
            for place in self[worker].places { kill(worker, place) }
        }
    }
}
