// SPDX-License-Identifier: Apache-2.0

/// A database that could not do what it was told: the cause that decides what follows, and SQLite's own words.
public struct DatabaseError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The cause, in snake case, as the value of a metric's label.
    public enum Cause: String, CaseIterable, Sendable {
        /// The disk, a quota of the file system or the database's own limit has no room left.
        case full
        /// The file or its folder cannot be written.
        case readOnly = "read_only"
        /// The file is damaged, or is no database.
        case corrupt
        /// A later release has written the file in a way that this one does not know.
        case newerSchema = "newer_schema"
        /// The file is the database of another program.
        case foreign
        /// Another process holds a lock for longer than the time limit.
        case locked
        /// The file or its folder cannot be opened: it does not exist, or the permissions forbid it.
        case cannotOpen = "cannot_open"
        /// A read or write failed for another reason.
        case inputOutput = "input_output"
        /// Anything else, a fault of this program among it.
        case other
    }

    public let cause: Cause
    /// The action that failed, for example `commit`.
    public let action: String
    /// SQLite's message, or ours.
    public let reason: String
    /// SQLite's extended result code; 0 where SQLite was not asked.
    public let code: Int32

    public init(_ cause: Cause, action: String, reason: String, code: Int32 = 0) {
        (self.cause, self.action, self.reason, self.code) = (cause, action, reason, code)
    }

    public var description: String { "\(action): \(reason)" }
}
