// SPDX-License-Identifier: Apache-2.0
import Settings

/// What the largest answers may take of this process's memory, each kind for itself, before the next is refused with 503:
/// less where the service has little, for a process that the kernel ends tells nobody why.
struct MemoryBudgets: Equatable {
    /// Answers of all windows under way.
    private(set) var windowBytes = 192 << 20
    /// Answers that reports are being made of, and finished reports that wait for clients to take them.
    private(set) var reportBytes = 192 << 20
    /// Pieces of answers that wait for the kernel to take them, of all connections.
    private(set) var unsentBytes = 128 << 20

    /// Of the memory limit; a quarter is the lanes' already, and these three are seldom at their limits together.
    private static let shareOfLimit: UInt64 = 5

    init() {}

    init(machine: MachineLimits) {
        guard let limit = machine.memoryBytes else { return }
        let most = Int(clamping: limit / Self.shareOfLimit)
        windowBytes = min(windowBytes, most)
        reportBytes = min(reportBytes, most)
        unsentBytes = min(unsentBytes, most)
    }
}
