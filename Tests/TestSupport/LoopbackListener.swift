// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A listening socket on 127.0.0.1 for the caller to close, and its port.
public func openListener() -> (Int32, UInt16) {
    let descriptor = socket(
        AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            precondition(bind(descriptor, generic, length) == 0)
            precondition(listen(descriptor, 100) == 0)
            precondition(getsockname(descriptor, generic, &length) == 0)
        }
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}
