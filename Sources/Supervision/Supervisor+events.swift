// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Logs
import Platform
import WorkerLink

/// What happens, and who deals with it.
extension Supervisor {
    func handle(_ token: EventToken) {
        switch token {
        case .timer:
            if timer.take() > 0 { tick() }
        case .signals:
            while let number = signals.next() { handleSignal(number) }
        default:
            guard let (place, isLink) = token.worker, workers.indices.contains(place) else { return }
            // A token may be of a process that is gone by now: reading finds nothing then.
            if isLink {
                readLink(workers[place])
            } else if let end = workers[place].reap() {
                bury(workers[place], end)
            }
        }
    }

    /// Four times a second: who hangs, who is due, is systemd content. Allocates nothing as long as all is well.
    private func tick() {
        if let interval = service.watchdogIntervalNanoseconds {
            let monotonic = MonotonicClock.nowNanoseconds()
            // One tick early rather than one late.
            if monotonic + SteadyClock.tickNanoseconds >= lastPingNanoseconds + interval {
                service.ping()
                lastPingNanoseconds = monotonic
            }
        }
        LogOutput.standard.tellRepeats()
        observe()
        var hasChanged = false
        for worker in workers {
            perform(worker.life.tick(hang: worker.watch.verdict(nowNanoseconds: now), nowNanoseconds: now), on: worker)
            hasChanged = hasChanged || worker.isKnownDegraded != worker.life.policy.isDegraded
        }
        if shutdown.isUnderWay, let step = shutdown.tick(nowNanoseconds: MonotonicClock.nowNanoseconds()) {
            perform(step)
        }
        if hasChanged { tellStatus() }
    }

    /// Takes down what the workers show of themselves in their lanes' headers.
    private func observe() {
        let exporterParity = exporter.parity
        let isExporterReady = exporter.life.isReady
        // Draining workers read no commands any more, and that is right.
        let isReading = phase != .stopping
        for worker in workers where worker.life.isReady {
            switch worker.role {
            case .ingest:
                let gauge = upGauges[worker.index]
                worker.watch.observe(heartbeat: gauge.heartbeat, nowNanoseconds: now)
                for parity in 0..<LaneSet.parities {
                    let isWritten = isReading && isExporterReady && parity == exporterParity
                    worker.watch.observe(
                        lane: parity, readPosition: isWritten ? gauge.readPosition(parity) : nil,
                        head: downGauges[worker.index][parity].head, nowNanoseconds: now)
                }
            case .exporter:
                worker.watch.observe(heartbeat: downGauges[0][exporterParity].heartbeat, nowNanoseconds: now)
                for index in upGauges.indices {
                    worker.watch.observe(
                        lane: index, readPosition: isReading ? downGauges[index][exporterParity].readPosition(0) : nil,
                        head: upGauges[index].head, nowNanoseconds: now)
                }
            }
        }
    }

    /// What a worker says.
    private func readLink(_ worker: SupervisedWorker) {
        while worker.link >= 0 {
            do throws(SystemError) {
                switch try MessageSocket.receive(on: worker.link) {
                case .nothing: return
                case .end: worker.closeLink(events)  // it is ending; its pidfd tells how
                case .message(let message):
                    for extra in message.descriptors { close(extra) }
                    switch MessageCoding.decodeWorkerMessage(message.bytes) {
                    case .ready: becameReady(worker)
                    case .status(let text): logger.info("\(worker.name): \(text)")
                    case .standby, .adopted, nil:
                        logger.debug("unknown message", metadata: ["worker": "\(worker.name)"])
                    }
                }
            } catch {
                if error.code == EMSGSIZE { continue }
                logger.warning("cannot read from a worker", error: error, metadata: ["worker": "\(worker.name)"])
                worker.closeLink(events)
            }
        }
    }

    private func handleSignal(_ number: Int32) {
        if number == SIGHUP {
            logger.info("SIGHUP: nothing to reload")
            return
        }
        let step = shutdown.signalled(nowNanoseconds: MonotonicClock.nowNanoseconds())
        logger.notice("ending", metadata: ["signal": "\(SignalName.of(number))"])
        perform(step)
    }
}
