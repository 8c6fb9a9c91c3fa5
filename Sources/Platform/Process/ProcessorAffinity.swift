// SPDX-License-Identifier: Apache-2.0
import CPlatform

/// The CPUs that the scheduler may put this process on.
public enum ProcessorAffinity {
    /// At least 1.
    public static func count() -> Int {
        max(1, Int(fodc_process_processor_count()))
    }
}
