// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Answers on their way to those who wait for them. They are handed over in a turn of the loop of their own, never while a
/// record of a ring is being read: a fault in making an answer must not be put down to that record.
final class DeliveryQueue {
    private let loop: any EventLoop
    private let isReading: () -> Bool
    private var due: [() -> Void] = []

    /// - Parameter isReading: whether a record is being read on the loop at this moment.
    init(loop: any EventLoop, isReading: @escaping () -> Bool = { false }) {
        self.loop = loop
        self.isReading = isReading
    }

    func add(_ delivery: @escaping () -> Void) {
        if due.isEmpty { loop.assumeIsolated().execute { [self] in deliver() } }
        due.append(delivery)
    }

    /// Hands over what is due: what it is made of may be gone in the next turn.
    func deliver() {
        precondition(!isReading(), "an answer would be made while a record is read")
        let deliveries = due
        due = []
        for delivery in deliveries { delivery() }
    }
}
