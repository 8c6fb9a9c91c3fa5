// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// A stream socket with a name in the file system (AF_UNIX), all close-on-exec.
public enum LocalSocket {
    /// Connections that wait to be accepted: people and scripts, a few at a time.
    public static let backlog: Int32 = 16
    /// Bytes that the kernel takes of a name, without the zero at its end.
    public static let limitPathBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// The process at the other end.
    public struct Peer: Equatable, Sendable {
        public let userID: uid_t
        public let processID: pid_t
    }

    public enum Received {
        case bytes([UInt8])
        /// Nothing there now (only on a nonblocking socket).
        case nothing
        /// The other side has closed.
        case end
    }

    /// Listens, nonblocking, at a name that only this user (and root) may use from the moment that it is there. A socket that had
    /// the name before loses it. Only for a process with one thread: the file mode mask is changed for a moment.
    public static func listen(path: String) throws(SystemError) -> Int32 {
        let listener = socket(AF_UNIX, kind | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard listener >= 0 else { throw .last("socket") }
        do throws(SystemError) {
            if unlink(path) != 0, errno != ENOENT { throw SystemError.last("unlink \(path)") }
            let before = umask(0o177)
            defer { umask(before) }
            try withAddress(path) { address, length throws(SystemError) in
                guard bind(listener, address, length) == 0 else { throw .last("bind \(path)") }
            }
            guard Glibc.listen(listener, backlog) == 0 else { throw SystemError.last("listen \(path)") }
            return listener
        } catch {
            close(listener)
            throw error
        }
    }

    /// Connects, blocking.
    public static func connect(path: String) throws(SystemError) -> Int32 {
        let connection = socket(AF_UNIX, kind, 0)
        guard connection >= 0 else { throw .last("socket") }
        do throws(SystemError) {
            try withAddress(path) { address, length throws(SystemError) in
                guard Glibc.connect(connection, address, length) == 0 else { throw .last("connect \(path)") }
            }
            return connection
        } catch {
            close(connection)
            throw error
        }
    }

    /// The next connection, nonblocking; `nil`: none waits.
    public static func accept(on listener: Int32) throws(SystemError) -> Int32? {
        let connection = fodc_process_accept(listener)
        if connection >= 0 { return connection }
        switch errno {
        case EAGAIN, ECONNABORTED: return nil
        default: throw .last("accept4")
        }
    }

    public static func peer(of connection: Int32) throws(SystemError) -> Peer {
        var (user, process): (uid_t, pid_t) = (0, 0)
        guard fodc_process_peer(connection, &user, &process) == 0 else { throw .last("getsockopt(SO_PEERCRED)") }
        return Peer(userID: user, processID: process)
    }

    /// The bytes that are there, at most so many.
    public static func receive(on connection: Int32, limitBytes: Int) throws(SystemError) -> Received {
        var bytes = [UInt8](repeating: 0, count: limitBytes)
        while true {
            let count = recv(connection, &bytes, limitBytes, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return .nothing }
            if count < 0, errno == ECONNRESET { return .end }
            guard count >= 0 else { throw .last("recv") }
            guard count > 0 else { return .end }
            bytes.removeLast(limitBytes - count)
            return .bytes(bytes)
        }
    }

    /// Sends what the other side takes now (all of it, on a blocking socket); how many bytes that were. Never raises
    /// SIGPIPE.
    public static func send(_ bytes: ArraySlice<UInt8>, on connection: Int32) throws(SystemError) -> Int {
        while true {
            // The pointer is used during the call only, within the slice's bounds.
            let count = bytes.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 { return count }
            if errno == EINTR { continue }
            if errno == EAGAIN { return 0 }
            throw .last("send")
        }
    }

    /// Whether a descriptor is a listening socket of this kind: what a predecessor hands on is looked at, too.
    public static func isListening(_ descriptor: Int32) -> Bool {
        var (domain, listens): (Int32, Int32) = (0, 0)
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX
            && getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens == 1
    }

    /// The owner of a file; `nil` if that is not to be seen.
    public static func owner(of path: String) -> (userID: uid_t, name: String?)? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        // getpwuid's answer is its own memory; the name is copied before anything else is called.
        let name = getpwuid(status.st_uid).map { String(cString: $0.pointee.pw_name) }
        return (status.st_uid, name)
    }

    private static let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    private static func withAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= limitPathBytes, !bytes.contains(0) else {
            throw SystemError(call: "the name \(path)", code: ENAMETOOLONG)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The name fits, and the zero behind it is there already.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        // A sockaddr_un is made to be seen as a sockaddr of its length.
        return try withUnsafePointer(to: &address) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound throws(SystemError) in
                try body(rebound, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
