// SPDX-License-Identifier: Apache-2.0

/// Where to listen, as Go writes it: `:17912` (every address of the machine, IPv4 and IPv6), `host:17912`,
/// `127.0.0.1:17912`, `[::1]:17912`. Port 0 leaves the choice to the kernel.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or a numeric address without brackets; `nil`: every address of the machine.
    public let host: String?
    public let port: UInt16

    public init(host: String?, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// `nil` if `text` has none of the forms above. A name is only resolved when it is listened on.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Self.port(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]", host.count > 2 else { return nil }
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil  // an IPv6 address without brackets: where its port begins is anybody's guess
        }
        guard
            host.utf8.allSatisfy({
                $0 > UInt8(ascii: " ") && $0 < 0x7F && $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "]")
            })
        else { return nil }
        self.init(host: host.isEmpty ? nil : String(host), port: port)
    }

    public var description: String {
        guard let host else { return ":\(port)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func port(_ digits: Substring) -> UInt16? {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil  // UInt16("+1") would be a number
        }
        return UInt16(digits)
    }
}
