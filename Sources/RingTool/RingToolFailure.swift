// SPDX-License-Identifier: Apache-2.0

/// The reason of a failure, in one line.
struct RingToolFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
