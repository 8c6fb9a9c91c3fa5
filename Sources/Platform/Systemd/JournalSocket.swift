// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// The socket on which journald takes entries with fields. Sending never waits.
///
/// Each entry is sent to the path anew, so that a journald that was restarted is found again.
public final class JournalSocket: Sendable {
    /// Limit of one entry, so that it always fits a datagram (net.core.wmem_default is 208 KiB).
    public static let limitBytes = 64 << 10
    public static let standardPath = "/run/systemd/journal/socket"

    private struct Socket {
        /// -1 until it is first used, and again after a failure other than a full queue.
        var descriptor: Int32 = -1
        /// It has journald's address, and is kept whatever happens: no other can be made.
        var isConnected = false
    }

    private let path: [UInt8]
    private let socket = Mutex(Socket())

    /// `nil`: the path is too long for an address.
    public init?(path: String = JournalSocket.standardPath) {
        self.path = Array(path.utf8)
        // The address ends with a zero.
        guard !self.path.isEmpty, self.path.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
            return nil
        }
    }

    deinit {
        socket.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
    }

    /// Connects for good, for a process whose sandbox makes no sockets and sends to no addresses. A journald that is
    /// restarted is found again all the same, because systemd keeps its socket; `false`: no journal is running.
    @discardableResult
    public func connect() -> Bool {
        socket.withLock { socket in
            guard !socket.isConnected, Self.open(&socket) else { return socket.isConnected }
            socket.isConnected = withAddress { Glibc.connect(socket.descriptor, $0, $1) } == 0
            return socket.isConnected
        }
    }

    /// Sends one entry if journald takes it now; `false` if it does not (its queue is full, or it does not run), and then
    /// nothing is sent.
    public func send(_ entry: [UInt8]) -> Bool {
        guard entry.count <= Self.limitBytes else { return false }
        return socket.withLock { socket in
            guard socket.isConnected || Self.open(&socket) else { return false }
            while true {
                if send(entry, on: socket) { return true }
                switch errno {
                case EINTR: continue
                case EAGAIN, ENOBUFS: return false
                case _ where socket.isConnected: return false
                default:
                    close(socket.descriptor)
                    socket.descriptor = -1
                    return false
                }
            }
        }
    }

    /// Whether there is a descriptor.
    private static func open(_ socket: inout Socket) -> Bool {
        if socket.descriptor < 0 {
            let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            socket.descriptor = Glibc.socket(AF_UNIX, kind, 0)
        }
        return socket.descriptor >= 0
    }

    private func send(_ entry: [UInt8], on socket: Socket) -> Bool {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        // The pointer is used during the call only.
        return entry.withUnsafeBytes { bytes in
            socket.isConnected
                ? Glibc.send(socket.descriptor, bytes.baseAddress, bytes.count, flags)
                : withAddress { sendto(socket.descriptor, bytes.baseAddress, bytes.count, flags, $0, $1) }
        } >= 0
    }

    private func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The rest of the address stays zero; `init` has seen to it that at least one zero is left.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        // The pointer is used during the call only.
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }
}
