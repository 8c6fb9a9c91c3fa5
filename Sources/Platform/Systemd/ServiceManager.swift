// SPDX-License-Identifier: Apache-2.0
import CSystemd
import Glibc

/// What a notify service says to systemd. Without systemd (no `NOTIFY_SOCKET`) everything here does nothing.
public struct ServiceManager: Sendable {
    /// Half of the time within which systemd wants to hear a ping; `nil`: it does not.
    public let watchdogIntervalNanoseconds: UInt64?
    private let hasSocket: Bool

    public init() {
        hasSocket = getenv("NOTIFY_SOCKET") != nil
        var microseconds: UInt64 = 0
        watchdogIntervalNanoseconds =
            sd_watchdog_enabled(0, &microseconds) > 0
            ? microseconds.multipliedReportingOverflow(by: 500).partialValue : nil
    }

    public func ready(status: String) {
        notify("READY=1\nSTATUS=\(Self.oneLine(status))")
    }

    public func status(_ text: String) {
        notify("STATUS=\(Self.oneLine(text))")
    }

    public func stopping(status: String) {
        notify("STOPPING=1\nSTATUS=\(Self.oneLine(status))")
    }

    /// "I am well": to be sent at least every ``watchdogIntervalNanoseconds``.
    public func ping() {
        guard hasSocket else { return }
        sd_notify(0, "WATCHDOG=1")
    }

    private func notify(_ message: String) {
        guard hasSocket else { return }
        sd_notify(0, message)
    }

    /// A line break would begin another assignment.
    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
