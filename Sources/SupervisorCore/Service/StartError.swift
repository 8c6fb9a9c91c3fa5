// SPDX-License-Identifier: Apache-2.0

/// Why the proxy does not start: one line that says what to do. Exit code 1.
public struct StartError: Error, Equatable, CustomStringConvertible {
    public let description: String
    /// Kinds of failure that the start handles itself.
    enum Kind {
        /// Another process listens on a port that is wanted.
        case portInUse
        /// A folder cannot be made, or not be written to.
        case folderUnusable
        case other
    }

    let kind: Kind

    public init(_ description: String) { self.init(description, .other) }

    init(_ description: String, _ kind: Kind) {
        self.description = description
        self.kind = kind
    }
}
