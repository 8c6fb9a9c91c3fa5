// SPDX-License-Identifier: Apache-2.0

/// Minimum severity to log (`--log-level`).
public enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, warning, error
}

/// How log lines look (`--log-format`).
public enum LogFormat: String, CaseIterable, Sendable {
    /// For people: `2026-01-31T12:00:00.000Z info supervisor serving workers=2`
    case text
    /// For machines: one JSON object a line.
    case json
}
