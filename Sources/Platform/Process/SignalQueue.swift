// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// Signals as something to read (signalfd) instead of something that interrupts.
public struct SignalQueue: ~Copyable {
    public let descriptor: Int32

    /// Blocks `signals` in this thread and in all that it starts from now on; so make it before any other thread.
    public init(_ signals: [Int32]) throws(SystemError) {
        descriptor = fodc_process_signals_create(signals, Int32(signals.count))
        guard descriptor >= 0 else { throw SystemError(call: "signalfd", code: errno) }
    }

    deinit { close(descriptor) }

    /// The number of the next signal that came; `nil` if no signal is pending.
    public func next() -> Int32? {
        let number = fodc_process_signals_next(descriptor)
        return number > 0 ? number : nil
    }

    /// Takes back that whoever has started this process ignores a signal (SIGCHLD: then no child could be reaped).
    public static func restore(_ number: Int32) {
        fodc_process_default_signal(number)
    }

    /// Ignores in the whole process the signals that mean nothing to it and would end it (SIGUSR1, SIGUSR2, those of
    /// timers, the real-time ones).
    public static func ignoreMeaningless() {
        fodc_process_ignore_meaningless_signals()
    }

    /// Ignores a signal in the whole process (SIGPIPE: writing to a closed socket is then only an error).
    public static func ignore(_ number: Int32) {
        fodc_process_ignore_signal(number)
    }
}
