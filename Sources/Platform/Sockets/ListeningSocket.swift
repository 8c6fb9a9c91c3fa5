// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// A listening TCP socket: nonblocking, close-on-exec, its address free again at once after the process has ended.
public enum ListeningSocket {
    /// Connections that wait to be accepted: a thousand agents that come back at once, several times over. The kernel
    /// cuts it to `net.core.somaxconn`, 4096 since Linux 5.4.
    public static let backlog: Int32 = 4096

    public enum Failure: Error, Equatable, CustomStringConvertible {
        /// Somebody else listens there.
        case inUse
        /// The host is no address of this machine.
        case notHere
        /// The port needs a right that this process has not (below 1024).
        case notAllowed
        /// The name is not known: the resolver's reason.
        case unknownHost(String)
        /// A name where none is taken.
        case isName
        case other(SystemError)

        public var description: String {
            switch self {
            case .inUse: "the port is in use"
            case .notHere: "this machine does not have the address"
            case .notAllowed: "not allowed to listen on this port"
            case .unknownHost(let reason): "the host is not known: \(reason)"
            case .isName: "the host is a name"
            case .other(let error): error.description
            }
        }
    }

    /// For a name that has to be known. As long as the C library would ask one server.
    private static let lookupMilliseconds: Int32 = 10_000

    /// Opens one. `host` is a numeric address or a name; of a name's addresses the first IPv4 one is taken, as Go does.
    /// `nil`: every address, IPv4 and IPv6 (IPv4 alone on a machine without IPv6). Port 0: the kernel chooses one.
    ///
    /// - Parameter mayWait: `false`: a name is an error, for asking a resolver can take seconds.
    public static func open(host: String?, port: UInt16, mayWait: Bool = true) throws(Failure) -> Int32 {
        guard let host else {
            do throws(Failure) {
                return try open(resolving: "::", port: port, mayWait)
            } catch .other(let error) where error.code == EAFNOSUPPORT {
                return try open(resolving: "0.0.0.0", port: port, mayWait)
            } catch .notHere {
                return try open(resolving: "0.0.0.0", port: port, mayWait)  // IPv6 is there and switched off
            }
        }
        return try open(resolving: host, port: port, mayWait)
    }

    /// The address it really has: `127.0.0.1:17912`, `[::]:17912`.
    public static func localAddress(of descriptor: Int32) -> String? {
        guard let (host, port) = localHostAndPort(of: descriptor) else { return nil }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    static func localHostAndPort(of descriptor: Int32) -> (host: String, port: String)? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // A sockaddr_storage is made to be seen as any sockaddr, and holds all of them.
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getsockname(descriptor, address, &length) == 0 else { return nil }
                return numericHostAndPort(address, length)
            }
        }
    }

    /// An address as text; `nil` for one that is not of the internet.
    static func numericHostAndPort(
        _ address: UnsafePointer<sockaddr>, _ length: socklen_t
    ) -> (host: String, port: String)? {
        guard [AF_INET, AF_INET6].contains(Int32(address.pointee.sa_family)) else { return nil }
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let flags = Int32(NI_NUMERICHOST | NI_NUMERICSERV)
        let code = getnameinfo(
            address, length, &host, socklen_t(host.count), &port, socklen_t(port.count), flags)
        return code == 0 ? (text(host), text(port)) : nil
    }

    private static func open(resolving host: String, port: UInt16, _ mayWait: Bool) throws(Failure) -> Int32 {
        try withAddress(of: host, port: port, mayWait: mayWait, listen)
    }

    /// The address that ``open(host:port:)`` would bind to.
    static func withAddress<Result>(
        of host: String, port: UInt16, mayWait: Bool = true, limitMilliseconds: Int32 = lookupMilliseconds,
        _ body: (addrinfo) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        // Numbers are no names: they are not waited for, and no thread is made for them.
        var code = getaddrinfo(host, String(port), &hints, &list)
        if code == EAI_NONAME, mayWait {
            hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
            code = fodc_name_lookup(host, String(port), &hints, limitMilliseconds, &list)
        }
        if code == EAI_NONAME, !mayWait { throw .isName }
        if code == FODC_NAME_LOOKUP_LATE { throw .unknownHost("no answer within \(limitMilliseconds / 1000) s") }
        guard code == 0, let first = list else { throw .unknownHost(String(cString: gai_strerror(code))) }
        // The list and what it points to are valid until it is freed.
        defer { freeaddrinfo(list) }
        var chosen = first
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let entry = next {
            if entry.pointee.ai_family == AF_INET {
                chosen = entry
                break
            }
            next = entry.pointee.ai_next
        }
        return try body(chosen.pointee)
    }

    private static func listen(at address: addrinfo) throws(Failure) -> Int32 {
        let kind = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.ai_family, kind, address.ai_protocol)
        guard descriptor >= 0 else { throw .other(.last("socket")) }
        do throws(Failure) {
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            if address.ai_family == AF_INET6 {
                // [::] takes IPv4 connections, too, whatever the machine's default is.
                try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0)
            }
            guard bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 else { throw failure("bind") }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw failure("listen") }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) throws(Failure) {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .other(.last("setsockopt"))
        }
    }

    private static func failure(_ call: String) -> Failure {
        switch errno {
        case EADDRINUSE: .inUse
        case EADDRNOTAVAIL: .notHere
        case EACCES: .notAllowed
        default: .other(.last(call))
        }
    }

    static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
