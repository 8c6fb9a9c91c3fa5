// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The usage and the limits of the process.
public enum SimulatorUsage {
    /// User and system time.
    static var processorSeconds: Double {
        let usage = current
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    static var peakResidentBytes: Int {
        current.ru_maxrss * 1024  // Linux counts in KiB
    }

    /// Raises the limit of open descriptors to what the system allows: each agent is one. A limit that cannot be raised is
    /// seen as failed connects.
    public static func raiseOpenFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static var current: rusage {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }
}
