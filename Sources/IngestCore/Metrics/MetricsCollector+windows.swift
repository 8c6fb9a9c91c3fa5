// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import RingMessages
import Rings

/// Windows: each agent is asked in parts (``WindowPlan``), one part at a time; several windows take turns.
extension MetricsCollector {
    /// More than the exporter lets run and wait at once.
    static let maximumWindowJobs = 32

    func collectWindow(_ command: CollectCommand, _ id: CommandID) {
        guard let window = command.window, !windows.isFull else {
            return publish(CollectionOutcome(ending: .busy), of: id, as: .windowDone)
        }
        let now = MonotonicClock.nowNanoseconds()
        var asked: [Agent] = []
        var skipped: [UInt32] = []
        for agent in registry.all {
            guard let stream = agent.metrics, Self.matches(agent, command) else { continue }
            if stream.isSilent(nowNanoseconds: now) || agent.windowJobs.count >= Self.maximumWindowJobs {
                skipped.append(agent.slot.index)
                counters.add(.notAskedBusy)
            } else {
                asked.append(agent)
            }
        }
        publish(
            windows.begin(
                id, command, asking: asked.map(\.slot.index), skipped: skipped,
                deadlineNanoseconds: command.deadlineNanoseconds, nowNanoseconds: now), as: .windowDone)
        for agent in asked {
            agent.windowJobs.append(WindowJob(collection: id, plan: WindowPlan(window)))
            askNextPart(of: agent)
        }
    }

    /// Nobody waits for the window any more: no further part of it is asked for.
    func dropWindow(_ id: CommandID) {
        _ = windows.finish(id)
        forgetEndedWindows()
    }

    /// The agents' shares of windows that are over.
    func forgetEndedWindows() {
        windowRecords = windowRecords.filter { windows.contains($0.key) }
        for agent in registry.all where !agent.windowJobs.isEmpty {
            agent.windowJobs.removeAll { !windows.contains($0.collection) }
        }
    }

    func askNextPart(of agent: Agent) {
        guard let stream = agent.metrics, !stream.requests.isWindowOutstanding else { return }
        while let next = agent.windowJobs.first {
            // How large an agent's answers are, and what its clock says, is learned from its latest values.
            if agent.series.seriesCount == 0, !stream.hasAnsweredLatest {
                return askLatest(stream, for: next.collection)
            }
            let part = windows.contains(next.collection) ? nextPart(of: agent) : nil
            guard let part else {
                agent.windowJobs.removeFirst()
                publish(windows.answered(agent.slot.index, in: next.collection), as: .windowDone)
                continue
            }
            stream.windowCollection = next.collection
            stream.requests.sent(.window, atNanoseconds: MonotonicClock.nowNanoseconds())
            counters.add(.askedWindow)
            stream.call.send(MetricsRequestMessage.window(part))
            return
        }
    }

    /// Of the first of its windows.
    private func nextPart(of agent: Agent) -> CollectCommand.Window? {
        agent.windowJobs[0].plan.nextPart(
            series: agent.series.seriesCount, bytesPerSample: agent.series.averageWireBytesPerSample,
            pointsPerSecond: agent.density.pointsPerSecond,
            newestNanoseconds: agent.newestPointNanoseconds(wallNow: WallClock.nowNanoseconds()),
            partBytes: windowPartBytes)
    }

    func receivedPart(_ message: RawSpan, on stream: MetricsStreamCall) throws(DecodeError) {
        let agent = stream.agent
        let id = stream.windowCollection
        stream.windowCollection = nil
        // A collection that is over is waited for by nobody; its answer has only to be taken off the stream.
        if let id, let index = agent.windowJobs.firstIndex(where: { $0.collection == id }) {
            let columns = try agent.series.decodeWindow(message, receivedAtNanoseconds: WallClock.nowNanoseconds())
            counters.add(columns.summary)
            note(columns.summary, of: agent)
            counters.add(.answeredWindow)
            var job = agent.windowJobs.remove(at: index)
            if columns.pointCount > 0 {
                learn(columns, of: agent, &job)
                publishWindow(columns, of: agent, id)
            }
            job.plan.received(isEmpty: columns.pointCount == 0, isDensityKnown: agent.density.isLearned)
            if job.plan.isFinished {
                publish(windows.answered(agent.slot.index, in: id), as: .windowDone)
            } else {
                // To the end of the line: a window of many parts does not hold up the others.
                agent.windowJobs.append(job)
            }
        }
        askNextPart(of: agent)
    }

    private func learn(_ columns: WindowColumns, of agent: Agent, _ job: inout WindowJob) {
        guard let times = columns.timeRangeNanoseconds else { return }
        agent.density.observed(
            pointsPerSeries: Double(columns.pointCount) / Double(max(1, agent.series.seriesCount)), times: times,
            nextNanoseconds: job.oldestPointNanoseconds)
        job.oldestPointNanoseconds = min(times.lowerBound, job.oldestPointNanoseconds ?? .max)
    }

    /// Ends windows whose time is over, and the shares of agents that have gone silent.
    func windowTick(nowNanoseconds now: UInt64) {
        guard windows.count > 0 else { return }
        let isReading = outbox.isEmpty
        for agent in registry.all where !agent.windowJobs.isEmpty {
            guard let stream = agent.metrics else { continue }
            stream.noteProgress(nowNanoseconds: now, isReading: isReading)
            guard stream.isSilent(nowNanoseconds: now) else { continue }
            agent.windowJobs.removeAll()
            publish(windows.gaveUp(agent.slot.index), as: .windowDone)
        }
        publish(windows.expire(nowNanoseconds: now), as: .windowDone)
        forgetEndedWindows()
    }

    private func publishWindow(_ columns: WindowColumns, of agent: Agent, _ id: CommandID) {
        windowRecords[id, default: 0] += 1
        outbox.write { [self] () throws(RingError) in
            guard registry.agent(slot: agent.slot.index) === agent else { return }
            try publishTable(of: agent)
            _ = try ring.append(
                .window, agent: agent.slot, generation: id.generation, number: id.number, subject: 0,
                byteCount: columns.byteCount, isCurrent: false
            ) { span in
                columns.write(into: &span)
            }
        }
    }
}

extension Agent {
    /// When the newest point that it has now was taken, by its own clock, as far as its latest values tell.
    fileprivate func newestPointNanoseconds(wallNow: Int64) -> Int64 {
        guard let newest = series.newestSampleNanoseconds else { return wallNow }
        let (age, overflow) = wallNow.subtractingReportingOverflow(series.receivedAtNanoseconds)
        let (now, carry) = newest.addingReportingOverflow(age)
        return overflow || carry ? wallNow : now
    }
}
