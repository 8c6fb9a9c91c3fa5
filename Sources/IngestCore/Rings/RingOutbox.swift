// SPDX-License-Identifier: Apache-2.0
import DequeModule
import Rings

/// Records that have to go into the ring, in order. Normally everything goes at once; when the ring is full because the
/// exporter has not read, writes wait here, and the owner stops reading its sockets so that no more of them come.
final class RingOutbox {
    typealias Write = () throws(RingError) -> Void

    private let ring: RingWriter
    private var waiting: Deque<Write> = []
    /// Called when the first write has to wait, and when the last one has gone.
    var onPressure: (Bool) -> Void = { _ in }
    /// A record was given up: it can never fit, or the system has no memory for it.
    var onLoss: (RingError) -> Void = { _ in }
    /// Something was written that the exporter may want to know of.
    var onWritten: () -> Void = {}

    var isEmpty: Bool { waiting.isEmpty }

    init(ring: RingWriter) {
        self.ring = ring
    }

    /// Answers a command of an exporter.
    func reply(_ type: RecordType, to command: CommandID, subject: UInt64 = 0, _ payload: [UInt8]) {
        write { [ring] () throws(RingError) in
            _ = try ring.append(
                type, generation: command.generation, number: command.number, subject: subject, payload.span.bytes)
        }
    }

    func write(_ attempt: @escaping Write) {
        guard waiting.isEmpty else {
            waiting.append(attempt)
            return
        }
        if !run(attempt) {
            waiting.append(attempt)
            onPressure(true)
        }
    }

    /// Tries what waits, as when the exporter has read on.
    func retry() {
        guard !waiting.isEmpty else { return }
        while let attempt = waiting.first {
            guard run(attempt) else { return }
            waiting.removeFirst()
        }
        onPressure(false)
    }

    /// - Returns: false when the ring is full and the write has to wait.
    private func run(_ attempt: Write) -> Bool {
        do {
            try attempt()
            onWritten()
        } catch {
            if case .full = error { return false }
            onLoss(error)
        }
        return true
    }
}
