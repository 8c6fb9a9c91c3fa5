// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// A descriptor that becomes readable at a steady interval (timerfd on the monotonic clock).
public struct TickTimer: ~Copyable {
    public let descriptor: Int32

    public init(intervalNanoseconds: UInt64) throws(SystemError) {
        descriptor = fodc_process_timer_create(intervalNanoseconds)
        guard descriptor >= 0 else { throw SystemError(call: "timerfd_create", code: errno) }
    }

    deinit { close(descriptor) }

    /// Ticks since the last call; 0 if none.
    public func take() -> UInt64 {
        var ticks: UInt64 = 0
        // Eight bytes of a local variable, used during the call only.
        return read(descriptor, &ticks, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size ? ticks : 0
    }
}
