// SPDX-License-Identifier: Apache-2.0
import Settings

/// Budgets of large answers in this process's memory, each kind for itself, before the next is refused with 503: less where
/// the service has little, for a process that the kernel ends tells nobody why.
struct MemoryBudgets {
    /// Of the memory limit; a quarter is the rings' already, and the kinds are seldom at their limits together.
    private static let shareOfLimit: UInt64 = 5

    private let mostBytes: Int

    init(machine: MachineLimits) {
        mostBytes = machine.memoryBytes.map { Int(clamping: $0 / Self.shareOfLimit) } ?? .max
    }

    /// - Parameter wanted: what the kind may take where there is enough.
    func bytes(upTo wanted: Int) -> Int { min(wanted, mostBytes) }
}
