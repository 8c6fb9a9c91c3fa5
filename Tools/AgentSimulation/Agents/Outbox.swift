// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The messages that an agent has to send, on whatever stream, in one order: real agents send on all streams under one lock, so a
/// message that waits for its stream's window holds up everything behind it, heartbeats too.
struct Outbox {
    /// Begun, or the next to begin.
    private var current: OutgoingMessage?
    private var waiting = CircularBuffer<OutgoingMessage>(initialCapacity: 1)

    /// The stream of the message whose turn it is; `nil`: no message waits.
    var method: AgentMethod? { current?.method }

    mutating func append(_ message: OutgoingMessage) {
        if current == nil {
            current = message
        } else {
            waiting.append(message)
        }
    }

    func contains(_ method: AgentMethod) -> Bool {
        current?.method == method || waiting.contains { $0.method == method }
    }

    /// About so many bytes of the message whose turn it is, and the message itself if these were its last.
    mutating func nextPiece(about byteCount: Int) -> (piece: ByteBuffer, finished: OutgoingMessage?) {
        guard var message = current else { preconditionFailure("there is no piece of nothing") }
        current = nil  // or the message would be copied when it moves on
        let piece = message.nextPiece(about: byteCount)
        guard !message.isDone else {
            current = waiting.popFirst()
            return (piece, message)
        }
        current = message
        return (piece, nil)
    }

    /// The message whose turn it is has no stream any more.
    mutating func dropFirst() {
        current = waiting.popFirst()
    }

    mutating func removeAll() {
        current = nil
        waiting.removeAll()
    }
}
