// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// The name of this process in lists of processes (prctl(2), `PR_SET_NAME`).
public enum ProcessName {
    /// To be called on the main thread. The system keeps the first 15 bytes.
    public static func set(_ name: String) { fodc_process_set_name(name) }
}
