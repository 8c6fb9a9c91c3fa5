// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// epoll over a handful of descriptors. Waiting allocates nothing.
public final class EventQueue {
    /// Tokens taken at a time; more wait for the next turn.
    private static let capacity = 64

    private let descriptor: Int32
    private var tokens = [UInt64](repeating: 0, count: capacity)

    public init() throws(SystemError) {
        descriptor = fodc_process_epoll_create()
        guard descriptor >= 0 else { throw SystemError(call: "epoll_create1", code: errno) }
    }

    deinit { close(descriptor) }

    /// Reports `token` as long as `watched` has something to read (or has ended).
    public func add(_ watched: Int32, token: UInt64) throws(SystemError) {
        guard fodc_process_epoll_add(descriptor, watched, token) == 0 else {
            throw SystemError(call: "epoll_ctl", code: errno)
        }
    }

    /// To be called before `watched` is closed.
    public func remove(_ watched: Int32) {
        _ = fodc_process_epoll_remove(descriptor, watched)
    }

    /// Waits for at least one event, or `timeoutMilliseconds` (-1: for ever), and hands each token to `body`.
    public func wait(timeoutMilliseconds: Int32, _ body: (UInt64) -> Void) throws(SystemError) {
        let count = fodc_process_epoll_wait(descriptor, &tokens, Int32(Self.capacity), timeoutMilliseconds)
        guard count >= 0 else { throw SystemError(call: "epoll_wait", code: errno) }
        for index in 0..<Int(count) {
            body(tokens[index])
        }
    }
}
