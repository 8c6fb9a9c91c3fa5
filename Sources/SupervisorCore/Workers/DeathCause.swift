// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// Why a worker is no more.
public enum DeathCause: Equatable, Sendable {
    /// It ended by itself.
    case exited(code: Int32)
    /// A signal from outside, or from the kernel for lack of memory.
    case killed(signal: Int32)
    /// A fault of its own; a core may have been written.
    case fault(signal: Int32, hasDumpedCore: Bool)
    /// It did nothing any more, and the supervisor ended it.
    case hung(Stall)
    /// It did not become ready in time, and the supervisor ended it.
    case notReady
    /// The supervisor wanted it to end.
    case requested

    /// - Parameter verdict: what the supervisor had ended it for, if it had: then the signal tells nothing.
    public init(_ end: ChildProcess.End, verdict: DeathCause?) {
        if let verdict {
            self = verdict
            return
        }
        switch end {
        case .exited(let code): self = .exited(code: code)
        case .killed(let signal, let hasDumpedCore):
            self =
                Self.faultSignals.contains(signal)
                ? .fault(signal: signal, hasDumpedCore: hasDumpedCore) : .killed(signal: signal)
        }
    }

    /// Signals by which a program ends through its own doing (architecture, "Poison").
    public static let faultSignals: [Int32] = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGSYS]

    /// For people: `SIGSEGV (core dumped)`, `exit code 1`, `hung (no heartbeat for 2 s)`.
    public var text: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .killed(let signal): SignalName.of(signal)
        case .fault(let signal, let hasDumpedCore):
            SignalName.of(signal) + (signal == SIGSYS ? ", a system call outside of its sandbox" : "")
                + (hasDumpedCore ? " (core dumped)" : "")
        case .hung(let hang): "hung (\(hang.text))"
        case .notReady: "not ready in time"
        case .requested: "requested"
        }
    }
}
