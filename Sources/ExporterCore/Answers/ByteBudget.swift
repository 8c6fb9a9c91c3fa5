// SPDX-License-Identifier: Apache-2.0

/// Bytes of this process's memory that answers of one kind may take together.
struct ByteBudget {
    let limitBytes: Int
    private(set) var usedBytes = 0

    init(limitBytes: Int) {
        self.limitBytes = limitBytes
    }

    /// - Returns: false, with nothing taken, when it would be more than the limit.
    mutating func take(_ byteCount: Int) -> Bool {
        precondition(byteCount >= 0, "a size cannot be negative")
        guard byteCount <= limitBytes - usedBytes else { return false }
        usedBytes += byteCount
        return true
    }

    mutating func giveBack(_ byteCount: Int) {
        precondition(byteCount <= usedBytes, "more bytes are given back than were taken")
        usedBytes -= byteCount
    }
}
