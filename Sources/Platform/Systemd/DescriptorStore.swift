// SPDX-License-Identifier: Apache-2.0
import Glibc

/// systemd's descriptor store: what is given into it comes back at the next start, also after a crash. Without systemd
/// (no `NOTIFY_SOCKET`) everything here does nothing.
///
/// Two descriptors of one name pile up there, so names are never used again: the new one is stored, then a ``barrier()``
/// is waited for, and only then is the old one removed. A crash in between leaves both, never none.
public struct DescriptorStore: Sendable {
    /// More than any unit's `FileDescriptorStoreMax=` that makes sense; descriptors beyond are not looked at.
    static let limitReceived = 1024
    static let firstReceived: Int32 = 3

    public init() {}

    /// Whether there is a systemd to talk to.
    public var isThere: Bool { NotifySocket.shared.isThere }

    // MARK: At the start

    /// The descriptors that systemd has passed: sockets of socket units and stored ones, all close-on-exec from now on. Once:
    /// the variables that tell of it are unset, so that a second call, a worker or an exec of this program finds none.
    /// To be called before there are other threads, which may read the environment.
    public static func takeReceived() -> [ReceivedDescriptor] {
        let names = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]
        let values = names.map(ProcessEnvironment.value)
        for name in names { unsetenv(name) }
        return received(processID: values[0], count: values[1], names: values[2], ownProcessID: getpid()) { number in
            let flags = fcntl(number, F_GETFD)
            return flags >= 0 && fcntl(number, F_SETFD, flags | FD_CLOEXEC) == 0
        }
    }

    /// The variables' meaning (sd_listen_fds(3)). Names that are not as many as the descriptors mean nothing; all are
    /// called ``unknownName`` then. A descriptor that `take` says is not open is left out.
    static func received(
        processID: String?, count: String?, names: String?, ownProcessID: pid_t, take: (Int32) -> Bool
    ) -> [ReceivedDescriptor] {
        guard let processID = processID.flatMap({ pid_t($0) }), processID == ownProcessID,
            let count = count.flatMap({ Int($0) }), count > 0
        else { return [] }
        let taken = min(count, limitReceived)
        let parts = names?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
        return (0..<taken).compactMap { index in
            let descriptor = firstReceived + Int32(index)
            guard take(descriptor) else { return nil }
            return ReceivedDescriptor(
                name: parts.count == count ? parts[index] : unknownName, descriptor: descriptor)
        }
    }

    /// As libsystemd calls them.
    static let unknownName = "unknown"

    // MARK: While it runs

    /// Gives systemd a duplicate of a descriptor to keep, as soon as it reads. `false`: that will not be. systemd does not
    /// poll it: otherwise it would drop a socket that hangs up.
    @discardableResult
    public func store(_ descriptor: Int32, name: String) -> Bool {
        precondition(Self.isName(name), "a name is what systemd allows")
        return send("FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0", [descriptor])
    }

    /// Takes everything of that name out of the store.
    @discardableResult
    public func remove(name: String) -> Bool {
        // systemd has no name that it does not allow.
        guard Self.isName(name) else { return false }
        return send("FDSTOREREMOVE=1\nFDNAME=\(name)", [])
    }

    /// A descriptor that becomes readable (it is at its end) when systemd has handled everything that was sent before.
    /// The caller watches and closes it. `nil`: there is nothing to wait for.
    public func barrier() -> Int32? {
        guard isThere else { return nil }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        // systemd closes what comes with a barrier once it gets to it; with this end closed it holds the last one.
        defer { close(ends[1]) }
        let isReady =
            ends.allSatisfy { fcntl($0, F_SETFD, FD_CLOEXEC) == 0 } && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0
        guard isReady, send("BARRIER=1", [ends[1]]) else {
            close(ends[0])
            return nil
        }
        return ends[0]
    }

    /// Printable ASCII without a colon, 1 to 255 characters.
    public static func isName(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
    }

    private func send(_ message: String, _ descriptors: [Int32]) -> Bool {
        NotifySocket.shared.send(message, descriptors)
    }
}
