// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The signals of faults, as the system deals with them: the process ends, with a core where the system wants one.
public enum FatalSignals {
    private static let numbers = [SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE]

    /// Takes them from Swift's crash reporter, which handles them from the start of the process on. After a SIGABRT that
    /// was sent (systemd's watchdog does so) its handler returns and the process lives on; and who is frozen by it is
    /// neither alive nor dead to those that watch.
    public static func leaveToSystem() {
        for number in numbers { signal(number, SIG_DFL) }
    }
}
