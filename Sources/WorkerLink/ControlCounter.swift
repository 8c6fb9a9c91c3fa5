// SPDX-License-Identifier: Apache-2.0

/// What the supervisor tells everybody in the counters of `control`. They outlive the supervisor where systemd keeps the
/// memory for it; numbers are never reused for something else without a new layout version.
public enum ControlCounter: Int, CaseIterable, Sendable {
    /// When the service was started, `CLOCK_MONOTONIC` in nanoseconds.
    case serviceStartedAtNanoseconds = 0
    /// Ingest workers that there are to be.
    case ingestWorkersWanted
    case reloadsSucceeded
    case reloadsFailed
    /// Wall clock, nanoseconds since the epoch; 0: never.
    case lastReloadAtNanoseconds
    /// Lanes that were replaced by empty ones because they killed the exporter again and again.
    case lanesQuarantined
    /// Identities of agents that were held off because they killed ingest workers.
    case identitiesHeldOff
    /// Descriptors out of systemd's store that were not what their names say.
    case storeDescriptorsRefused
    /// Requests on the control socket that were not from the service's own user or root, or made no sense.
    case controlRequestsRefused
    /// Starts of the supervisor on this memory.
    case supervisorStarts
    /// Workers that were ended because they made a system call which their sandbox does not allow.
    case sandboxViolations

    /// Where the words begin that say what the supervisor uses (`Platform.ProcessUsage.words`).
    public static let firstProcessWord = 48
}
