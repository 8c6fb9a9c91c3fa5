// SPDX-License-Identifier: Apache-2.0
/// Monotonic time as far as the server read its sockets in it: what a peer could not be heard saying is not held against it.
/// It stands still while reading is paused, and a hole between two ticks (the process was stopped, or the loop busy) counts
/// as one long tick at most. Its resolution is the server's tick.
struct StallFreeClock {
    /// Far above the tick (250 ms), far below any timeout.
    static let maxStepNanoseconds: UInt64 = 1_000_000_000

    /// Starts above 0, so that "long ago" can be told from "never".
    private(set) var nowNanoseconds: UInt64 = 1
    private(set) var isPaused = false
    private var lastNanoseconds: UInt64

    init(monotonicNanoseconds: UInt64) { lastNanoseconds = monotonicNanoseconds }

    mutating func advance(to monotonicNanoseconds: UInt64) {
        guard monotonicNanoseconds > lastNanoseconds else { return }
        if !isPaused {
            nowNanoseconds += min(monotonicNanoseconds - lastNanoseconds, StallFreeClock.maxStepNanoseconds)
        }
        lastNanoseconds = monotonicNanoseconds
    }

    mutating func pause(at monotonicNanoseconds: UInt64) {
        advance(to: monotonicNanoseconds)
        isPaused = true
    }

    mutating func resume(at monotonicNanoseconds: UInt64) {
        advance(to: monotonicNanoseconds)
        isPaused = false
    }
}
