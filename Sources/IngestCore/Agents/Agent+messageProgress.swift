// SPDX-License-Identifier: Apache-2.0

extension Agent {
    /// Whether a part of one of its messages has come since the last time this was asked. It counts as a heartbeat: agents
    /// send on all their streams under one lock, so that none can come before the message is through.
    func takeMessageProgress() -> Bool {
        // Each is asked: it forgets with the answer.
        var hasProgress = metrics?.call.takeMessageProgress() ?? false
        if registration?.call.takeMessageProgress() ?? false { hasProgress = true }
        for stream in answerStreams where stream.call.takeMessageProgress() { hasProgress = true }
        return hasProgress
    }
}
