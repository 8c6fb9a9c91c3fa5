// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import NIOCore
import Platform

/// The end of a worker: it takes no connections, lets a scrape end, sends the agents elsewhere, and waits until they have gone.
extension IngestWorker {
    /// From GOAWAY to closing what is still open.
    private static let drainGrace = TimeAmount.milliseconds(1_000)
    /// Before it, how long collections under way may take to end: agents answer within milliseconds, and one that does
    /// not is not waited for. Longer than an exporter that ends waits, which is to say 503 before the agent is gone.
    private static let answerGrace = TimeAmount.milliseconds(500)

    public func retire(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        drain(deadlineNanoseconds: deadlineNanoseconds, whenDone)
    }

    /// On the loop: sends the agents elsewhere. `whenDone` is called when the last connection is closed.
    public func drain(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        guard !core.isDraining else { return }
        core.beginDraining()
        core.logger.info("draining", metadata: ["agents": "\(service.registry.onlineCount)"])
        server.stopAccepting()
        awaitAnswers(
            until: .now() + min(Self.answerGrace, Self.timeLeft(deadlineNanoseconds)),
            deadlineNanoseconds: deadlineNanoseconds, whenDone)
    }

    private static func timeLeft(_ deadlineNanoseconds: UInt64) -> TimeAmount {
        let left = deadlineNanoseconds - min(deadlineNanoseconds, MonotonicClock.nowNanoseconds())
        return .nanoseconds(Int64(clamping: left))
    }

    /// A scrape that the agents are answering is answered whole: they are sent away after it.
    private func awaitAnswers(
        until deadline: NIODeadline, deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void
    ) {
        if core.isCollecting, .now() < deadline {
            core.loop.scheduleTask(in: .milliseconds(5)) { [self] in
                awaitAnswers(until: deadline, deadlineNanoseconds: deadlineNanoseconds, whenDone)
            }
            return
        }
        server.drain()
        core.drainFeatures()
        awaitConnections(until: .now() + min(Self.drainGrace, Self.timeLeft(deadlineNanoseconds)), whenDone)
    }

    /// Agents close their connections when their registration stream has ended; those that do not are closed.
    private func awaitConnections(until deadline: NIODeadline, _ whenDone: @escaping @Sendable () -> Void) {
        if server.connectionCount > 0, .now() < deadline {
            core.loop.scheduleTask(in: .milliseconds(10)) { [self] in awaitConnections(until: deadline, whenDone) }
            return
        }
        server.closeAll()
        // The last bytes, the ends of streams among them, have left with the turn of the loop after this one.
        core.loop.execute { whenDone() }
    }
}
