// SPDX-License-Identifier: Apache-2.0

/// A group of endpoints that a bearer token may request.
public enum AccessScope: String, CaseIterable, Sendable {
    /// `/metrics` and `/metrics-windows`.
    case metrics
    /// Reports of the cluster.
    case read
    /// Profiles and crash records, which may hold parts of a node's memory.
    case profiles
}

/// Paths as a token names them: one, or with `*` at its end all that begin so.
public struct PathPattern: Equatable, Sendable {
    private let text: String
    private let isPrefix: Bool

    /// nil for what is no path.
    public init?(_ text: String) {
        guard text.hasPrefix("/") else { return nil }
        isPrefix = text.hasSuffix("*")
        self.text = isPrefix ? String(text.dropLast()) : text
        guard !self.text.contains("*") else { return nil }
    }

    /// - Parameter path: decoded.
    public func matches(_ path: String) -> Bool { isPrefix ? path.hasPrefix(text) : path == text }
}
