// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// Memory that was given back to the C library, and that it keeps.
public enum FreedMemory {
    /// Hands it to the system. Takes some milliseconds in a process that holds much: for the end of something large.
    public static func giveToSystem() {
        fodc_memory_freed_give_back()
    }
}
