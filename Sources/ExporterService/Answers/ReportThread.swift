// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix

/// Decodes agents' answers and writes JSON beside the event loop, one job after the other.
final class ReportThread {
    private let loop: any EventLoop
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let note: RecordNote

    init(loop: any EventLoop, note: RecordNote) {
        self.loop = loop
        self.note = note
    }

    /// Runs `work` on the thread, which is begun with the first job, and hands its outcome over on the loop.
    func run<Outcome: Sendable>(
        _ work: @escaping @Sendable (AnswerDecoder) -> Outcome, then done: @escaping (Outcome) -> Void
    ) {
        pool.start()
        let finish = NIOLoopBound(done, eventLoop: loop)
        let decoder = AnswerDecoder(note: note)
        pool.submit { [loop] state in
            // Only a pool that is shut down cancels, and this one lives as long as the process.
            guard case .active = state else { return }
            let outcome = work(decoder)
            loop.execute { finish.value(outcome) }
        }
    }
}
