// SPDX-License-Identifier: Apache-2.0
import Glibc

/// One end of a socket pair that wakes whoever sleeps on the other end.
///
/// A socket pair and not an eventfd, because an event loop takes it as a channel. The supervisor keeps both ends open, so
/// that the death of one side is no end of file to the other. It owns nothing: the descriptor is closed by who made it.
public struct WakeupChannel: Sendable {
    public let descriptor: Int32

    public init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Wakes the other end. When its buffer is full it has enough to wake up for, so nothing is lost by dropping the byte.
    public func wake() {
        var byte: UInt8 = 1
        while send(descriptor, &byte, 1, Int32(MSG_DONTWAIT | MSG_NOSIGNAL)) < 0, errno == EINTR {}
    }

    /// Takes away what has been rung at this end so far. To be called before looking for work, not after.
    public func drain() {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            while true {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                if count < 0, errno == EINTR { continue }
                if count < buffer.count { return }
            }
        }
    }

    /// Two connected ends: AF_UNIX, SOCK_STREAM, not blocking, close-on-exec. The caller closes both.
    public static func makePair() throws(SystemError) -> (WakeupChannel, WakeupChannel) {
        var ends: (Int32, Int32) = (-1, -1)
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let result = withUnsafeMutableBytes(of: &ends) { bytes in
            socketpair(AF_UNIX, kind, 0, bytes.bindMemory(to: Int32.self).baseAddress)
        }
        guard result == 0 else { throw SystemError.last("socketpair") }
        return (WakeupChannel(descriptor: ends.0), WakeupChannel(descriptor: ends.1))
    }
}
