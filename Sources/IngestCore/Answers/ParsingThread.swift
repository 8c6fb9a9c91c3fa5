// SPDX-License-Identifier: Apache-2.0
import DequeModule
import NIOCore
import Platform
import RingMessages
import TestHooks

/// Parses large messages beside the event loop, one after the other. Waiting messages are bounded in bytes.
final class ParsingThread {
    private struct Job {
        let message: [UInt8]
        let stream: StreamDescription
        let identityHash: UInt64
        let done: (Result<ParsedMessage, any Error>) -> Void
    }

    private let loop: any EventLoop
    private let thread: JobThread
    private let limitBytes: Int
    /// The agent whose message the thread is at, for the supervisor.
    private let marker: InFlightMarker
    private(set) var waitingBytes = 0
    /// The first is being parsed. The thread gets the next only when the loop has the result of the one before, so that
    /// the marker always names the agent whose message is being parsed.
    private var jobs: Deque<Job> = []

    /// - Parameter limitBytes: of messages that wait or are being parsed.
    ///
    /// The thread is there from now on: it could not be made when the first message comes at the limit of tasks.
    init(loop: any EventLoop, limitBytes: Int, marker: InFlightMarker) throws(SystemError) {
        thread = try JobThread(name: "parsing")
        self.loop = loop
        self.limitBytes = limitBytes
        self.marker = marker
    }

    /// Parses a message and hands it back on the loop, in the order of the calls.
    /// - Returns: false when too much is waiting; then nothing more comes of it.
    func parse(
        _ message: [UInt8], of stream: StreamDescription, from identityHash: UInt64,
        _ done: @escaping (Result<ParsedMessage, any Error>) -> Void
    ) -> Bool {
        guard waitingBytes + message.count <= limitBytes else { return false }
        waitingBytes += message.count
        jobs.append(Job(message: message, stream: stream, identityHash: identityHash, done: done))
        if jobs.count == 1 { begin(jobs[0]) }
        return true
    }

    private func begin(_ job: Job) {
        marker.setAside(job.identityHash)
        let finish = NIOLoopBound(
            { [weak self] (result: Result<ParsedMessage, any Error>) in self?.finished(result) }, eventLoop: loop)
        let (message, parse) = (job.message, job.stream.parse)
        thread.run { [loop] in
            TestHooks.trapOnPoison(inMessage: message.span.bytes)
            let result = Result { try parse(message.span.bytes) }
            loop.execute { finish.value(result) }
        }
    }

    /// Ends the thread.
    deinit { thread.stop() }

    private func finished(_ result: Result<ParsedMessage, any Error>) {
        let job = jobs.removeFirst()
        waitingBytes -= job.message.count
        if let next = jobs.first { begin(next) } else { marker.setAside(0) }
        marker.working(on: job.identityHash) { job.done(result) }
    }
}
