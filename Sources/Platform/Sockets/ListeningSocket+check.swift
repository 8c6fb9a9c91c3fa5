// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Whether a descriptor that came from elsewhere is the socket that it should be.
extension ListeningSocket {
    /// The flaw by which it is not a listening TCP socket; `nil` when it is one.
    public static func flaw(of descriptor: Int32) -> String? {
        guard let kind = option(descriptor, SO_TYPE) else { return "it is not a socket" }
        guard kind == Int32(SOCK_STREAM.rawValue) else { return "it is not a stream socket" }
        guard let family = option(descriptor, SO_DOMAIN), family == AF_INET || family == AF_INET6,
            option(descriptor, SO_PROTOCOL) == Int32(IPPROTO_TCP)
        else { return "it is not a TCP socket" }
        guard option(descriptor, SO_ACCEPTCONN) == 1 else { return "it does not listen" }
        return nil
    }

    public enum Binding: Equatable, Sendable {
        case same
        case other
        /// The host is a name that cannot be looked up now: the resolver's reason.
        case unknown(String)
    }

    /// For a name of which it is enough to know whether it has changed: clients wait meanwhile.
    private static let askMilliseconds: Int32 = 2_000

    /// Whether it is bound to what ``open(host:port:)`` would bind to; port 0 is any port. `[::]` is every address also
    /// when IPv6 has been switched off since, `0.0.0.0` only without IPv6.
    public static func binding(
        of descriptor: Int32, host: String?, port: UInt16, mayWait: Bool = true
    ) -> Binding {
        guard let local = localHostAndPort(of: descriptor), port == 0 || local.port == String(port) else {
            return .other
        }
        guard let host else {
            let isEvery = local.host == "::" || local.host == "0.0.0.0" && !hasIPv6
            return isEvery && takesIPv4(descriptor) ? .same : .other
        }
        do throws(Failure) {
            return try withAddress(of: host, port: port, mayWait: mayWait, limitMilliseconds: askMilliseconds) {
                address throws(Failure) in
                numericHostAndPort(address.ai_addr, address.ai_addrlen)?.host == local.host ? .same : .other
            }
        } catch {
            if case .unknownHost(let reason) = error { return .unknown(reason) }
            return .other
        }
    }

    /// Its port is free for another, whoever else has this socket: it is one in all processes. Connections that wait are
    /// reset.
    public static func stopListening(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Makes a socket that was handed over what ``open(host:port:)`` makes: nonblocking.
    public static func setNonblocking(_ descriptor: Int32) throws(SystemError) {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else { throw .last("fcntl(O_NONBLOCK)") }
    }

    /// Whether this machine has IPv6 and it is not switched off.
    private static var hasIPv6: Bool {
        guard let probe = try? open(host: "::1", port: 0, mayWait: false) else { return false }
        close(probe)
        return true
    }

    /// An IPv6 socket may be for IPv6 alone.
    private static func takesIPv4(_ descriptor: Int32) -> Bool {
        guard option(descriptor, SO_DOMAIN) == AF_INET6 else { return true }
        return option(descriptor, IPV6_V6ONLY, level: Int32(IPPROTO_IPV6)) == 0
    }

    private static func option(_ descriptor: Int32, _ name: Int32, level: Int32 = SOL_SOCKET) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, level, name, &value, &length) == 0 else { return nil }
        return value
    }
}
