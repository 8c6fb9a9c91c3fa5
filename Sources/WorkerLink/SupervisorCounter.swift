// SPDX-License-Identifier: Apache-2.0

/// Counters of the supervisor in the counters of `control`. They outlive the supervisor where systemd keeps the
/// memory for it; numbers are never reused for something else without a new layout version.
public enum SupervisorCounter: Int, CaseIterable, Sendable {
    /// When the service was started, `CLOCK_MONOTONIC` in nanoseconds.
    case serviceStartedAtNanoseconds = 0
    /// Requested number of ingest workers.
    case ingestWorkersWanted
    case reloadsSucceeded
    case reloadsFailed
    /// Wall clock, nanoseconds since the epoch; 0: never.
    case lastReloadAtNanoseconds
    /// Rings that were replaced by empty ones because they killed the exporter again and again.
    case ringsReset
    /// Identities of agents that were quarantined because they crashed ingest workers.
    case quarantinedIdentities
    /// Descriptors from systemd's store that were discarded because they did not match their names.
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
