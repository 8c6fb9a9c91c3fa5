// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// One scheduled task for all timeouts of a connection. A deadline that moves to later costs nothing: the task looks
/// at it when it runs, and is scheduled again then.
struct ConnectionTimer {
    var deadline: NIODeadline?
    fileprivate var task: Scheduled<Void>?
    fileprivate var taskAt = NIODeadline.distantFuture

    mutating func stop() {
        deadline = nil
        task?.cancel()
        task = nil
    }
}

/// How far an answer has come into the kernel, to tell a slow reader from one that has stopped.
struct WriteProgress {
    var handedBytes = 0
    private var takenBytes = 0
    private var lastProgressAt = NIODeadline.uptimeNanoseconds(0)
    private var noted: (takenBytes: Int, at: NIODeadline)?
    private var recentBytesPerSecond: Double?

    /// Over so long at least it is measured how fast a client takes its answer.
    static let measuredOver = TimeAmount.seconds(1)

    init() {}

    init(at now: NIODeadline) {
        lastProgressAt = now
    }

    /// How fast the client takes its answer of late; nil until that has been looked at for long enough.
    mutating func recentBytesPerSecond(bufferedBytes: Int, now: NIODeadline) -> Double? {
        let taken = handedBytes - bufferedBytes
        guard let before = noted else {
            noted = (taken, now)
            return nil
        }
        if now - before.at >= Self.measuredOver {
            recentBytesPerSecond = Double(taken - before.takenBytes) / (Double((now - before.at).nanoseconds) / 1e9)
            noted = (taken, now)
        }
        return recentBytesPerSecond
    }

    /// `bufferedBytes` are those that the kernel has not yet taken. Returns since when nothing has moved; nil when
    /// nothing waits for the client.
    mutating func stalledSince(bufferedBytes: Int, now: NIODeadline) -> NIODeadline? {
        let taken = handedBytes - bufferedBytes
        guard bufferedBytes > 0, taken == takenBytes else {
            takenBytes = taken
            lastProgressAt = now
            return nil
        }
        return lastProgressAt
    }
}

extension HTTPConnection {
    /// How often in a write timeout progress is looked for; the timeout is late by at most this part of it.
    private static let writeChecksPerTimeout: Int64 = 4

    func setDeadline(_ deadline: NIODeadline?) {
        timer.deadline = deadline
        guard let deadline, timer.task == nil || timer.taskAt > deadline else { return }
        timer.task?.cancel()
        schedule(at: deadline)
    }

    private func schedule(at deadline: NIODeadline) {
        timer.taskAt = deadline
        timer.task = channel.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() }
    }

    private func timerFired() {
        timer.task = nil
        guard let deadline = timer.deadline else { return }
        guard channel.eventLoop.now >= deadline else { return schedule(at: deadline) }
        timer.deadline = nil
        deadlinePassed()
    }

    private func deadlinePassed() {
        switch phase {
        case .idle:
            close(hasServed ? .idleTimeout : .readTimeout)
        case .receivingHead:
            let seconds = Double(server.configuration.readTimeout.nanoseconds) / 1e9
            reject(
                RequestRejection(
                    status: 408, cause: .readTimeout, message: "the request was not complete after \(seconds) s"),
                isHead: false)
        case .answering:
            checkWriting()
        case .lingering:
            close(.finished)
        case .closed:
            break
        }
    }

    private var writeTimeout: TimeAmount { exchange?.writeTimeout ?? server.configuration.writeTimeout }

    func watchWriting() {
        guard writeTimeout > .zero else { return setDeadline(nil) }
        let interval = writeTimeout.nanoseconds / Self.writeChecksPerTimeout
        setDeadline(channel.eventLoop.now + .nanoseconds(max(1, interval)))
    }

    private func checkWriting() {
        let now = channel.eventLoop.now
        let buffered = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if let since = writeProgress.stalledSince(bufferedBytes: buffered, now: now),
            now - since >= writeTimeout
        {
            cut(.writeTimeout)
        } else {
            watchWriting()
        }
    }
}
