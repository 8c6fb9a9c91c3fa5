// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The share of a processor that a thread gets while others wait for one.
public enum ThreadPriority {
    /// A tenth of the weight of a thread with the service's own nice value.
    private static let backgroundIncrement: Int32 = 10

    /// The calling thread gives way to all others of the service, for good. It comes before the sandbox, which allows no such
    /// call.
    public static func lowerToBackground() {
        // Linux takes 0 for the calling thread alone. A lower priority is always allowed, and is capped at 19.
        let callingThread = __priority_which_t(PRIO_PROCESS.rawValue)
        setpriority(callingThread, 0, getpriority(callingThread, 0) + backgroundIncrement)
    }
}
