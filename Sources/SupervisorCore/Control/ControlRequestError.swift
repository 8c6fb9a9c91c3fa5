// SPDX-License-Identifier: Apache-2.0

/// The fault of a request on the control socket: one line for people.
public struct ControlRequestError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
