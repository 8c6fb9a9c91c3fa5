// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings

extension MetricsCollector: IngestFeature {
    var commands: [RecordType: ExporterCommand] {
        [
            .collect: ExporterCommand(CollectCommand.self, refusal: .collection(.roundDone)) { [unowned self] in
                collect($0, $1)
            },
            .collectWindow: ExporterCommand(CollectCommand.self, refusal: .collection(.windowDone)) { [unowned self] in
                collectWindow($0, $1)
            },
            .windowDrop: ExporterCommand { [unowned self] in dropWindow($0) },
        ]
    }

    var nextDeadlineNanoseconds: UInt64? {
        [latest.nextDeadlineNanoseconds, windows.nextDeadlineNanoseconds].compactMap { $0 }.min()
    }

    /// Of the latest values: a window may take minutes.
    var isCollecting: Bool { latest.count > 0 }

    func tick(nowNanoseconds now: UInt64) {
        publish(latest.expire(nowNanoseconds: now), as: .roundDone)
        windowTick(nowNanoseconds: now)
        for agent in registry.all {
            guard let stream = agent.metrics, stream.expectedBytes > 0,
                let sentAt = stream.requests.latestSentAtNanoseconds,
                now - min(now, sentAt) > AnswerPacing.timeoutNanoseconds
            else { continue }
            settle(stream)
        }
        askNext()
    }

    func drain() {
        publish(latest.finishAll(), as: .roundDone)
        publish(windows.finishAll(), as: .windowDone)
        forgetEndedWindows()
    }

    func exporterGone(generation: UInt64) {
        latest.drop(ofExporter: generation)
        windows.drop(ofExporter: generation)
        forgetEndedWindows()
    }
}
