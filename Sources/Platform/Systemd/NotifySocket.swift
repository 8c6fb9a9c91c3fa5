// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The socket on which systemd hears from a service (sd_notify(3), `$NOTIFY_SOCKET`).
///
/// libsystemd waits until systemd has room for a message, which would be for ever if systemd is stuck; then nobody would
/// look after the workers any more. So nothing waits here: what systemd does not take now is kept, in order, for
/// ``flush()``. For the main thread alone.
final class NotifySocket {
    /// All rings of 64 workers twice over.
    static let limitWaiting = 512

    /// Of this process.
    nonisolated(unsafe) static let shared = NotifySocket(path: ProcessEnvironment.value("NOTIFY_SOCKET"))

    private struct Message {
        let text: String
        let descriptors: [Int32]
        let replaces: String?
    }

    private let path: [UInt8]
    private var socket: Int32 = -1
    private var waiting: [Message] = []

    /// - Parameter path: of a file, or with an `@` in front a name without one; `nil` or anything else: there is nobody.
    init(path: String?) {
        var bytes = Array((path ?? "").utf8)
        let isName = bytes.first == UInt8(ascii: "@")
        let isUsable =
            (isName || bytes.first == UInt8(ascii: "/"))
            && bytes.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        if isName { bytes[0] = 0 }
        self.path = isUsable ? bytes : []
    }

    deinit {
        if socket >= 0 { close(socket) }
        for message in waiting { closeAll(message.descriptors) }
    }

    /// Whether there is a systemd to talk to.
    var isThere: Bool { !path.isEmpty }

    var waitingCount: Int { waiting.count }

    /// systemd is there, and does not read. (Without anybody who could read, what waits is lost anyway.)
    var isStuck: Bool { !waiting.isEmpty && wasFull }
    private var wasFull = false

    /// Says it, now or as soon as systemd reads again.
    ///
    /// - Parameters:
    ///   - descriptors: stay the caller's.
    ///   - replaces: of messages of one kind that wait only the last counts.
    /// - Returns: `false` if it was neither sent nor kept.
    func send(_ text: String, _ descriptors: [Int32] = [], replaces kind: String? = nil) -> Bool {
        guard isThere, text.utf8.count <= MessageSocket.limitBytes else { return false }
        flush()
        if waiting.isEmpty, sendNow(text, descriptors) { return true }
        if let kind { waiting.removeAll { $0.replaces == kind } }
        guard waiting.count < Self.limitWaiting else { return false }
        var kept: [Int32] = []
        for descriptor in descriptors {
            guard let copy = try? MemoryFile.duplicate(descriptor) else {
                closeAll(kept)
                return false
            }
            kept.append(copy)
        }
        waiting.append(Message(text: text, descriptors: kept, replaces: kind))
        return true
    }

    /// Says it now, before everything that waits, or not at all.
    func sendIfPossible(_ text: String) -> Bool { isThere && sendNow(text, []) }

    /// Sends what waits, as far as systemd takes it.
    func flush() {
        while let message = waiting.first, sendNow(message.text, message.descriptors) {
            waiting.removeFirst()
            closeAll(message.descriptors)
        }
    }

    private func sendNow(_ text: String, _ descriptors: [Int32]) -> Bool {
        wasFull = false
        // A second attempt finds a systemd that has begun anew.
        for _ in 0..<2 {
            if socket < 0 { socket = connected() }
            guard socket >= 0 else { return false }
            do throws(SystemError) {
                try MessageSocket.send(Array(text.utf8), descriptors: descriptors, on: socket)
                return true
            } catch {
                wasFull = [EAGAIN, ENOBUFS].contains(error.code)
                if wasFull { return false }
                close(socket)
                socket = -1
            }
        }
        return false
    }

    private func connected() -> Int32 {
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = Glibc.socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return -1 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // `init` has seen to it that it fits.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        // A name without a file is as long as it is said to be; a path ends with a zero.
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path)! + path.count + (path.first == 0 ? 0 : 1)
        // The pointer is used during the call only.
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(length)) }
        }
        guard code == 0 else {
            close(descriptor)
            return -1
        }
        return descriptor
    }

    private func closeAll(_ descriptors: [Int32]) {
        for descriptor in descriptors { close(descriptor) }
    }
}
