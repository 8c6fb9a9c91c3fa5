// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The last outcome of something that depends on nothing but its inputs. It is handed out again while they are equal: agents
/// answer out of caches for minutes, and are asked more often.
final class LastOutcome<Inputs: Equatable & Sendable, Outcome: Sendable>: Sendable {
    private struct Known {
        var inputs: Inputs
        var outcome: Outcome
    }

    private let last = Mutex<Known?>(nil)

    /// - Parameter isKept: false for an outcome that is too large to be kept until the next.
    func outcome(of inputs: Inputs, isKept: (Outcome) -> Bool = { _ in true }, _ make: () -> Outcome) -> Outcome {
        last.withLock { last in
            if let last, last.inputs == inputs { return last.outcome }
            // Two are never held at a time.
            last = nil
            let outcome = make()
            if isKept(outcome) { last = Known(inputs: inputs, outcome: outcome) }
            return outcome
        }
    }
}
