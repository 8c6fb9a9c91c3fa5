// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// Two descriptors of `/proc/self`, opened before the sandbox, through which a process still reads its own usage.
///
/// No other process of the same user can read it then: a process that leaves no cores is closed to all but root.
public struct OwnProcess: Sendable {
    /// Of this process. The first use opens the descriptors, so it comes before the sandbox.
    public static let current = OwnProcess()

    /// -1: it cannot be opened.
    private let stat: Int32
    private let descriptors: Int32

    private init() {
        stat = open("/proc/self/stat", O_RDONLY | O_CLOEXEC)
        descriptors = open("/proc/self/fd", O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    }

    /// The process's resource usage so far; `nil` where there is no `/proc`.
    public func usage() -> ProcessUsage? {
        guard stat >= 0 else { return nil }
        // One line of 52 numbers and a name of at most 64 bytes. The pointer is used during the call, within its bounds.
        let line = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, pread(stat, buffer.baseAddress, buffer.count, 0))
        }
        guard var usage = ProcessUsage(stat: line) else { return nil }
        let count = fodc_process_count_entries(descriptors)
        usage.openDescriptors = count >= 0 ? Int(count) : nil
        usage.maximumDescriptors = ProcessUsage.descriptorLimit
        return usage
    }
}
