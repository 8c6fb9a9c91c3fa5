// SPDX-License-Identifier: Apache-2.0

/// Which of the supervisor's descriptors a worker gets, and which numbers they have there: 3, 4, … in the order in which
/// they were added.
struct DescriptorPlan {
    static let firstNumber: Int32 = 3

    private(set) var sources: [Int32] = []

    /// Gives a descriptor its number in the worker.
    mutating func add(_ source: Int32) -> Int32 {
        sources.append(source)
        return Self.firstNumber + Int32(sources.count) - 1
    }
}
