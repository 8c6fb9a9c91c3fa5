// SPDX-License-Identifier: Apache-2.0

/// A peer's address and port as people write them: `10.0.0.7:50312`, `[2001:db8::7]:50312`.
public enum AddressText {
    /// The prefix that a socket for IPv6 and IPv4 puts before the address of an IPv4 peer (RFC 4291, 2.5.5.2).
    private static let mappedPrefix = "::ffff:"

    /// - Parameter host: as inet_ntop(3) writes it.
    public static func text(host: String, port: Int) -> String {
        guard host.utf8.contains(UInt8(ascii: ":")) else { return "\(host):\(port)" }
        if host.hasPrefix(mappedPrefix) {
            let rest = host.dropFirst(mappedPrefix.count)
            if rest.utf8.contains(UInt8(ascii: ".")) { return "\(rest):\(port)" }
        }
        return "[\(host)]:\(port)"
    }
}
