// SPDX-License-Identifier: Apache-2.0

/// Something that does not hold for an input, although it must for every one.
public struct Finding: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Throws a ``Finding`` unless the condition holds.
func hold(_ condition: Bool, _ finding: @autoclosure () -> String) throws(Finding) {
    guard condition else { throw Finding(finding()) }
}
