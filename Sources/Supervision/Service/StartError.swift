// SPDX-License-Identifier: Apache-2.0

/// Why the proxy does not start: one line that says what to do. Exit code 1.
public struct StartError: Error, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
