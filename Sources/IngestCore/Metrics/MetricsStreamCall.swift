// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Metrics
import RingMessages
import Rings

/// A StreamMetrics stream: requests out, answers in, matched in order.
final class MetricsStreamCall: GRPCCallHandler {
    let call: GRPCCall
    let agent: Agent
    private unowned let collector: MetricsCollector
    var requests = RequestQueue()
    /// The collection that sent the outstanding request for the latest values.
    var latestCollection = CommandID(generation: 0, number: 0)
    /// Waits for its turn to be asked.
    var isInLine = false
    /// The size of its answer in ``AnswerPacing``; 0 when nothing is expected of it.
    var expectedBytes = 0
    /// The window collection that sent the outstanding part of a window.
    var windowCollection: CommandID?
    /// It has answered a request for the latest values, so that the number of its series and its clock are known.
    var hasAnsweredLatest = false
    /// The last sign of progress of its answers, `CLOCK_MONOTONIC`.
    private(set) var progressAtNanoseconds: UInt64 = 0
    private var progressBytes: UInt64 = 0
    private(set) var isClosed = false

    init(call: GRPCCall, agent: Agent, collector: MetricsCollector) {
        self.call = call
        self.agent = agent
        self.collector = collector
    }

    /// Looks whether bytes of an answer have come since the last look. Time in which this worker does not read
    /// (`isReading` is false) counts for nobody.
    func noteProgress(nowNanoseconds now: UInt64, isReading: Bool) {
        guard call.receivedBytes != progressBytes || !isReading else { return }
        progressBytes = call.receivedBytes
        progressAtNanoseconds = now
    }

    /// It owes an answer, and nothing of it has come for ``MetricsCollector/hungAfterNanoseconds``.
    func isSilent(nowNanoseconds now: UInt64) -> Bool {
        guard let sentAt = requests.oldestSentAtNanoseconds else { return false }
        return now - min(now, max(sentAt, progressAtNanoseconds)) > MetricsCollector.hungAfterNanoseconds
    }

    func received(message: RawSpan) {
        guard !isClosed else { return }
        collector.marker.working(on: agent.identityHash) { collector.received(message, on: self) }
    }

    func halfClosed() { call.finish(.ok) }

    func closed(_ end: GRPCCallEnd) {
        guard !isClosed else { return }
        isClosed = true
        collector.closed(self)
    }

    func end(_ status: GRPCStatus) {
        guard !call.isFinished else { return }
        call.finish(status)
    }
}
