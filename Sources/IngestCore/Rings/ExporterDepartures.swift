// SPDX-License-Identifier: Apache-2.0

/// Tells once of each exporter of a command ring that it is gone: it has died, or the next but one writes its ring. A state
/// machine without I/O.
struct ExporterDepartures {
    /// The generation that writes the ring, and lives; 0 without one.
    private var present: UInt64 = 0

    /// - Parameter writer: the generation that the ring names; 0 without one.
    /// - Returns: the generation for which nobody waits any more.
    mutating func next(writer: UInt64, isDead: Bool) -> UInt64? {
        let before = present
        present = isDead ? 0 : writer
        return before != 0 && before != present ? before : nil
    }
}
