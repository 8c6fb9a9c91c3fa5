// SPDX-License-Identifier: Apache-2.0

/// What the supervisor tells everybody in the counters of `control`.
public enum ControlCounter: Int, Sendable {
    /// When the service was started, `CLOCK_MONOTONIC` in nanoseconds.
    case serviceStartedAtNanoseconds = 0
}
