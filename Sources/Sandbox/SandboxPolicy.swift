// SPDX-License-Identifier: Apache-2.0

/// The permissions of one kind of process once it serves.
public struct SandboxPolicy: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Serves agents: opens no file but to read those of its certificates, connects to nothing.
        case ingest
        /// Serves HTTP: makes files without a name in its spool folder, and reads those that it is told.
        case exporter
        /// Keeps a database: opens, makes, renames and removes files, in the folders that may be written.
        case recorder
    }

    /// A user and a group, by number.
    public struct User: Equatable, Sendable {
        public var user: UInt32
        public var group: UInt32

        public init(user: UInt32, group: UInt32) {
            (self.user, self.group) = (user, group)
        }
    }

    public var kind: Kind
    /// Files and folders that may be read, and those that may be written; those that are not there are left out.
    public var readablePaths: [String]
    public var writablePaths: [String]
    /// Cores may be left, and others of the same user may look into the process.
    public var leavesCores: Bool
    /// The user that a process started by root changes to.
    public var user: User?
    /// Parts that are left out, and why.
    public var omitted: [SandboxPart: SandboxGap]

    public init(
        _ kind: Kind, readablePaths: [String] = [], writablePaths: [String] = [], leavesCores: Bool = false,
        user: User? = nil, omitted: [SandboxPart: SandboxGap] = [:]
    ) {
        self.kind = kind
        (self.readablePaths, self.writablePaths) = (readablePaths, writablePaths)
        (self.leavesCores, self.user, self.omitted) = (leavesCores, user, omitted)
    }
}
