// SPDX-License-Identifier: Apache-2.0

/// What is wrong with what came over the control socket: one line for people.
public struct ControlRequestError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
