// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Writes lines to a descriptor that others write to as well, and never waits for its reader.
///
/// Nobody else may notice: O_NONBLOCK on the descriptor itself would be in force for everybody who shares it. Asking
/// with poll(2) alone is not enough either, since another process may take the room that it told of.
struct LogSink: Sendable {
    private enum Kind {
        /// A pipe, opened once more, nonblocking for this process only.
        case ownPipe
        case socket
        /// A file or a terminal, or a pipe that may not be opened (it is another user's).
        case other
    }

    private let descriptor: Int32
    private let kind: Kind

    /// - Parameter descriptor: to stay open as long as this is used.
    init(_ descriptor: Int32) {
        var status = stat()
        let type = fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        if type == S_IFIFO {
            let own = open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
            (self.descriptor, kind) = own >= 0 ? (own, .ownPipe) : (descriptor, .other)
        } else {
            (self.descriptor, kind) = (descriptor, type == S_IFSOCK ? .socket : .other)
        }
    }

    /// Whether another writer can make it wait after all.
    var mayWait: Bool { kind == .other }

    /// Whether it was taken. On a pipe at most ``StandardError/atomicBytes`` are taken whole or not at all.
    func write(_ bytes: [UInt8]) -> Bool {
        while true {
            guard !mayWait || hasRoom else { return false }
            // The pointer is used during the call only, within the array's bounds.
            let count = bytes.withUnsafeBytes { bytes in
                kind == .socket
                    ? send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                    : Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count < 0, errno == EINTR { continue }
            return count > 0
        }
    }

    private var hasRoom: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while true {
            let ready = poll(&request, 1, 0)
            if ready < 0, errno == EINTR { continue }
            return ready > 0 && Int32(request.revents) & POLLOUT != 0
        }
    }
}
