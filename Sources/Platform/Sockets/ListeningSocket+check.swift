// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Whether a descriptor that came from elsewhere is the socket that it should be.
extension ListeningSocket {
    /// What makes it no listening TCP socket; `nil` when it is one.
    public static func flaw(of descriptor: Int32) -> String? {
        guard let kind = option(descriptor, SO_TYPE) else { return "it is no socket" }
        guard kind == Int32(SOCK_STREAM.rawValue) else { return "it is no stream socket" }
        guard let family = option(descriptor, SO_DOMAIN), family == AF_INET || family == AF_INET6,
            option(descriptor, SO_PROTOCOL) == Int32(IPPROTO_TCP)
        else { return "it is no TCP socket" }
        guard option(descriptor, SO_ACCEPTCONN) == 1 else { return "it does not listen" }
        return nil
    }

    /// Whether it is bound to what ``open(host:port:)`` would bind to; port 0 is any port. Without a host either form of
    /// "every address" will do, for IPv6 may have been switched on or off since.
    public static func isBound(_ descriptor: Int32, host: String?, port: UInt16, mayWait: Bool = true) -> Bool {
        guard let local = localHostAndPort(of: descriptor) else { return false }
        guard port == 0 || local.port == String(port) else { return false }
        guard let host else { return ["::", "0.0.0.0"].contains(local.host) && takesIPv4(descriptor) }
        do throws(Failure) {
            return try withAddress(of: host, port: port, mayWait: mayWait) { address throws(Failure) in
                numericHostAndPort(address.ai_addr, address.ai_addrlen)?.host == local.host
            }
        } catch {
            return false
        }
    }

    /// Makes a socket that was handed over what ``open(host:port:)`` makes: nonblocking.
    public static func setNonblocking(_ descriptor: Int32) throws(SystemError) {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else { throw .last("fcntl(O_NONBLOCK)") }
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
