// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform

/// Deadlines of calls.
extension GRPCServer {
    /// Deadlines that are acted on in one turn: some 20 ms of work.
    private static let deadlinesPerTurn = 1000
    /// A later deadline is looked at again after this: NIO's clock has an end.
    private static let longestWaitNanoseconds: UInt64 = 3_600_000_000_000

    func schedule(_ call: GRPCCall, inNanoseconds timeout: Int64) -> CallDeadlines.Entry {
        let at = eventLoop.now.uptimeNanoseconds.addingClamped(UInt64(max(0, timeout)))
        let entry = CallDeadlines.Entry(atNanoseconds: at, call: call)
        deadlines.insert(entry)
        setDeadlineTimer()
        return entry
    }

    func cancel(_ entry: CallDeadlines.Entry) { deadlines.remove(entry) }

    /// There is one timer for all calls, which may be too early: NIO takes a timer out by looking through all that it has.
    private func setDeadlineTimer() {
        guard let earliest = deadlines.earliestNanoseconds else { return }
        let now = eventLoop.now.uptimeNanoseconds
        let at = min(earliest, now + Self.longestWaitNanoseconds)
        if let deadlineTimer {
            if deadlineTimer.atNanoseconds <= at { return }
            deadlineTimer.task.cancel()
        }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let task = eventLoop.scheduleTask(in: .nanoseconds(Int64(at - min(at, now)))) {
            bound.value.deadlineTimer = nil
            bound.value.actOnDeadlines()
        }
        deadlineTimer = (at, task)
    }

    private func actOnDeadlines() {
        let now = eventLoop.now.uptimeNanoseconds
        for _ in 0..<Self.deadlinesPerTurn {
            guard let due = deadlines.popDue(nowNanoseconds: now) else { break }
            due.call?.deadlinePassed()
        }
        setDeadlineTimer()
    }
}
