// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// What the C library keeps of memory that was given back to it.
public enum FreedMemory {
    /// Hands it to the system. Takes some milliseconds in a process that holds much: for the end of something large.
    public static func giveToSystem() {
        fodc_memory_freed_give_back()
    }
}
