// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// A part of a process's sandbox.
public enum SandboxPart: String, CaseIterable, Sendable {
    /// No new privileges, no capabilities, the user that workers change to, no cores.
    case privileges
    /// Files, TCP connections, signals: Landlock.
    case landlock
    /// The list of system calls: seccomp.
    case seccomp
}

/// A part that could not be put in place.
public struct SandboxGap: Equatable, Sendable, CustomStringConvertible {
    public let part: SandboxPart
    /// The error that the system reported.
    public let reason: String
    public let remedy: String

    public init(_ part: SandboxPart, reason: String, remedy: String) {
        (self.part, self.reason, self.remedy) = (part, reason, remedy)
    }

    init(_ part: SandboxPart, call: String, code: Int32) {
        let reason = "\(call): \(SystemError(call: call, code: code).reason)"
        self.init(part, reason: reason, remedy: Self.remedy(for: part, code: code))
    }

    public var description: String { "\(part.rawValue): \(reason); \(remedy)" }

    private static func remedy(for part: SandboxPart, code: Int32) -> String {
        switch (part, code) {
        case (.landlock, ENOSYS), (.landlock, EOPNOTSUPP):
            "needs Linux 5.13 or later with landlock among the modules of the kernel's lsm= option"
        // The library says EOPNOTSUPP where another filter forbids to ask.
        case (.landlock, _), (.seccomp, EPERM), (.seccomp, EACCES), (.seccomp, EOPNOTSUPP):
            "let the container's seccomp profile (RuntimeDefault of a current runtime does), or SystemCallFilter= of the "
                + "unit, allow seccomp and landlock_*"
        case (.seccomp, _): "needs a kernel with CONFIG_SECCOMP_FILTER"
        case (.privileges, _): "start the service as a user without privileges, as its systemd unit does"
        }
    }
}
