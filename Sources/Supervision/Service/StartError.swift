// SPDX-License-Identifier: Apache-2.0

/// Why the proxy does not start: one line that says what to do. Exit code 1.
public struct StartError: Error, Equatable, CustomStringConvertible {
    public let description: String
    /// Somebody listens on a port that is wanted.
    let isPortInUse: Bool

    public init(_ description: String) { self.init(description, isPortInUse: false) }

    init(_ description: String, isPortInUse: Bool) {
        self.description = description
        self.isPortInUse = isPortInUse
    }
}
