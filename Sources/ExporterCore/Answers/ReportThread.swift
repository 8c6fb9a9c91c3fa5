// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform
import RingMessages

/// Decodes agents' answers and writes JSON beside the event loop, one job after the other. Each kind of report has a thread, so
/// that none waits for another's: what one agent sends for one of them may keep its thread for seconds.
final class ReportThread {
    private let loop: any EventLoop
    private let thread: JobThread
    private let marker: InFlightRecord

    /// The thread is there from now on: it could not be made when the first request comes at the limit of tasks.
    init(name: String, loop: any EventLoop, marker: InFlightRecord) throws(SystemError) {
        thread = try JobThread(name: name)
        self.loop = loop
        self.marker = marker
    }

    deinit { thread.stop() }

    /// Runs `work` on the thread, and hands its outcome over on the loop.
    func run<Outcome: Sendable>(
        _ work: @escaping @Sendable (AnswerDecoder) -> Outcome, then done: @escaping (Outcome) -> Void
    ) {
        let finish = NIOLoopBound(done, eventLoop: loop)
        let decoder = AnswerDecoder(marker: marker)
        thread.run { [loop] in
            let outcome = work(decoder)
            loop.execute { finish.value(outcome) }
        }
    }
}
