// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// Memory that was given back to the C library, and that it keeps.
public enum FreedMemory {
    /// Fewer bytes are not worth a call that gives them to the system, and are soon used again.
    public static let noticeableBytes = 1 << 20

    /// Its bytes, those among them that the system has again.
    public static var byteCount: Int { fodc_memory_freed_bytes() }

    /// Hands it to the system if there is much. Takes some milliseconds in a process that holds much.
    public static func giveToSystem() {
        guard byteCount >= noticeableBytes else { return }
        fodc_memory_freed_give_back()
    }
}
