// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform

/// The one thread that reads and writes spool files, one job after the other: a disk may take its time, and the event loop
/// must not.
final class SpoolThread {
    /// Bytes that may wait to be written, all downloads together. A disk that falls further behind costs the download that
    /// comes next, not the exporter's memory.
    static let maximumWaitingBytes = 32 * 1024 * 1024

    private let loop: any EventLoop
    private let maximumWaitingBytes: Int
    private let thread: JobThread
    private(set) var waitingBytes = 0

    /// The thread is there from now on: it could not be made when the first download comes at the limit of tasks.
    init(loop: any EventLoop, maximumWaitingBytes: Int = SpoolThread.maximumWaitingBytes) throws(SystemError) {
        thread = try JobThread(name: "spool")
        self.loop = loop
        self.maximumWaitingBytes = maximumWaitingBytes
    }

    /// Does `work` on the thread, then `done` on the event loop. Jobs are done in the order in which they are given.
    func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value, _ done: @escaping (Value) -> Void) {
        let loop = loop
        let bound = NIOLoopBound(done, eventLoop: loop)
        thread.run {
            let value = work()
            loop.execute { bound.value(value) }
        }
    }

    /// False when there is no room for so many bytes more; otherwise they count as waiting until ``leave(_:)``.
    func admit(_ bytes: Int) -> Bool {
        guard waitingBytes + bytes <= maximumWaitingBytes else { return false }
        waitingBytes += bytes
        return true
    }

    func leave(_ bytes: Int) {
        waitingBytes -= bytes
        precondition(waitingBytes >= 0, "more bytes left the spool's queue than had come")
    }

    /// Ends the thread after what it has been given.
    func stop() { thread.stop() }

    deinit { thread.stop() }
}
