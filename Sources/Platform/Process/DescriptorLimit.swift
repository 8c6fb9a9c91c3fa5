// SPDX-License-Identifier: Apache-2.0
import Glibc

/// How many descriptors this process and its children may have open.
public enum DescriptorLimit {
    /// Raises the soft limit to `wanted`, or to the hard limit if that is lower. Returns what holds then. The usual soft
    /// limit of 1024 is for programs that use select(2).
    @discardableResult
    public static func raise(to wanted: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        guard limit.rlim_cur < wanted else { return Int(clamping: limit.rlim_cur) }
        var raised = limit
        raised.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 else {
            return Int(clamping: limit.rlim_cur)
        }
        return Int(clamping: raised.rlim_cur)
    }
}
