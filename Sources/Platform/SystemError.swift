// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A call to the system that failed: which one, and why.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call as the manual names it, for example `memfd_create`, with what it was about where that helps.
    public let call: String
    /// The value of `errno`.
    public let code: Int32

    public init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The failure that `errno` tells of right now: to be made before anything else is called.
    public static func last(_ call: String) -> SystemError {
        SystemError(call: call, code: errno)
    }

    /// The system's text for `code`: `Cannot allocate memory`.
    public var reason: String {
        // strerror's own buffer is shared by all threads; the reentrant form writes into ours.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let start = buffer.baseAddress, strerror_r(code, start, buffer.count) == 0 else {
                return "error \(code)"
            }
            return String(cString: start)
        }
    }

    public var description: String { "\(call): \(reason)\(cause)" }

    /// The oldest kernel that has every call that is needed (`waitid` with `P_PIDFD`).
    public static let leastKernel = "5.4"

    /// Calls that the kernel itself never refuses with `EPERM`.
    private static let unrestrictedCalls: Set<Substring> = [
        "close_range", "epoll_create1", "fork", "memfd_create", "pidfd_open", "pipe", "pipe2", "signalfd", "socketpair",
        "timerfd_create",
    ]

    /// The likely cause of a call that is not there, or is refused for no reason of its own.
    private var cause: String {
        guard code == ENOSYS || code == EPERM && Self.unrestrictedCalls.contains(call.prefix { $0 != " " }) else {
            return ""
        }
        return
            " (the kernel is older than Linux \(Self.leastKernel), or a seccomp profile, such as a container's, forbids this "
            + "call)"
    }
}
