// SPDX-License-Identifier: Apache-2.0

extension Agent {
    /// Whether a part of one of its messages has come since the last time this was asked. It counts as a heartbeat: agents
    /// send on all their streams under one lock, so that none can come before the message is through.
    func takeMessageProgress() -> Bool {
        var calls = answerStreams.map(\.call)
        if let call = metrics?.call { calls.append(call) }
        if let call = registration?.call { calls.append(call) }
        // Each is asked: it forgets with the answer.
        return calls.reduce(false) { $1.takeMessageProgress() || $0 }
    }
}
