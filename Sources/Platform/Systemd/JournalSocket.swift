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

    private let path: [UInt8]
    /// -1 until it is first used, and again after a failure other than a full queue.
    private let descriptor = Mutex<Int32>(-1)

    /// `nil`: the path is too long for an address.
    public init?(path: String = JournalSocket.standardPath) {
        self.path = Array(path.utf8)
        // The address ends with a zero.
        guard !self.path.isEmpty, self.path.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
            return nil
        }
    }

    deinit {
        descriptor.withLock { if $0 >= 0 { close($0) } }
    }

    /// Sends one entry if journald takes it now; `false` if it does not (its queue is full, or it does not run), and then
    /// nothing is sent.
    public func send(_ entry: [UInt8]) -> Bool {
        guard entry.count <= Self.limitBytes else { return false }
        return descriptor.withLock { descriptor in
            if descriptor < 0 {
                let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
                descriptor = socket(AF_UNIX, kind, 0)
                guard descriptor >= 0 else { return false }
            }
            while true {
                if send(entry, on: descriptor) { return true }
                switch errno {
                case EINTR: continue
                case EAGAIN, ENOBUFS: return false
                default:
                    close(descriptor)
                    descriptor = -1
                    return false
                }
            }
        }
    }

    private func send(_ entry: [UInt8], on descriptor: Int32) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The rest of the address stays zero; `init` has seen to it that at least one zero is left.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        // Both pointers are used during the call only.
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                entry.withUnsafeBytes { sendto(descriptor, $0.baseAddress, $0.count, flags, name, size) }
            }
        } >= 0
    }
}
