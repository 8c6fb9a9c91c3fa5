// SPDX-License-Identifier: Apache-2.0

/// Behaviour where a part of the processes' sandbox is missing (`--sandbox`).
public enum SandboxMode: String, CaseIterable, Sendable {
    /// The service does not start.
    case required
    /// It goes on, and says what is missing.
    case bestEffort = "best-effort"
    /// No process enters one.
    case off
}

/// Whether a process that dies of a fault may leave a core (`--core-dumps`).
public enum CoreDumps: String, CaseIterable, Sendable {
    case on, off
}
