// SPDX-License-Identifier: Apache-2.0
import CSystemd
import Glibc

/// Notifications of a notify service to systemd. Without systemd (no `NOTIFY_SOCKET`) everything here does nothing; nothing
/// here waits. For the main thread alone.
public struct ServiceManager: Sendable {
    /// Half of the time within which systemd wants to hear a ping; `nil`: it does not.
    public let watchdogIntervalNanoseconds: UInt64?

    public init() {
        var microseconds: UInt64 = 0
        watchdogIntervalNanoseconds =
            sd_watchdog_enabled(0, &microseconds) > 0
            ? microseconds.multipliedReportingOverflow(by: 500).partialValue : nil
    }

    /// Whether there is a systemd to talk to.
    public var isThere: Bool { NotifySocket.shared.isThere }

    public func ready(status text: String) {
        _ = NotifySocket.shared.send("READY=1")
        status(text)
    }

    public func status(_ text: String) {
        _ = NotifySocket.shared.send("STATUS=\(Self.oneLine(text))", replaces: "STATUS")
    }

    public func stopping(status text: String) {
        _ = NotifySocket.shared.send("STOPPING=1")
        status(text)
    }

    /// "I am well": to be sent at least every ``watchdogIntervalNanoseconds``. `false`: systemd does not read now.
    @discardableResult
    public func ping() -> Bool { NotifySocket.shared.sendIfPossible("WATCHDOG=1") }

    /// Whether systemd, if there is one, has taken all that was said.
    public var isHeard: Bool {
        flush()
        return !NotifySocket.shared.isStuck
    }

    /// Sends the notifications that systemd did not take at first. To be called now and then.
    public func flush() { NotifySocket.shared.flush() }

    /// A line break would begin another assignment.
    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
