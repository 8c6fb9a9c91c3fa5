// SPDX-License-Identifier: Apache-2.0

/// What could not be done, in one line.
struct LaneToolFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
