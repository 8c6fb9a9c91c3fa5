// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A list of networks (`10.0.0.0/8,192.168.1.7,fd00::/8`) that connections may come from. An IPv4 address that is written in IPv6
/// (`::ffff:10.0.0.1`) is the IPv4 address.
public struct AddressRanges: Equatable, Sendable, CustomStringConvertible {
    private struct Range: Equatable {
        let address: [UInt8]
        let prefixBits: Int

        func contains(_ other: [UInt8]) -> Bool {
            guard other.count == address.count else { return false }
            let wholeBytes = prefixBits / 8
            guard other[..<wholeBytes] == address[..<wholeBytes] else { return false }
            let restBits = prefixBits % 8
            guard restBits > 0 else { return true }
            let mask = ~UInt8(0) << UInt8(8 - restBits)
            return other[wholeBytes] & mask == address[wholeBytes] & mask
        }
    }

    /// Each connection is held against all of them.
    public static let limitRanges = 1024

    private let ranges: [Range]
    /// As it was given.
    public let description: String

    /// nil if a part is no address and no network, or the list is empty or longer than ``limitRanges``.
    public init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard !text.isEmpty, parts.count <= Self.limitRanges else { return nil }
        var ranges: [Range] = []
        for part in parts {
            guard let range = Self.range(part.filter { $0 != " " }) else { return nil }
            ranges.append(range)
        }
        self.ranges = ranges
        description = text
    }

    /// - Parameter host: a numeric address without a port. Anything else is in no range.
    public func contains(host: String) -> Bool {
        guard let address = Self.address(host) else { return false }
        return ranges.contains { $0.contains(address) }
    }

    private static func range(_ text: String) -> Range? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let address = address(parts[0]) else { return nil }
        let bits = address.count * 8
        guard parts.count == 2 else { return Range(address: address, prefixBits: bits) }
        guard (1...3).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            var prefix = Int(parts[1])
        else { return nil }
        // The prefix of a mapped address counts from the beginning of the IPv6 address.
        if bits == 32, parts[0].contains(":") { prefix -= 96 }
        guard (0...bits).contains(prefix) else { return nil }
        return Range(address: address, prefixBits: prefix)
    }

    /// 4 or 16 bytes in network order.
    private static func address(_ host: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, host, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
        // A link-local address comes with its interface: fe80::1%eth0.
        var six = in6_addr()
        guard inet_pton(AF_INET6, String(host.prefix { $0 != "%" }), &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: &six) { Array($0) }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped ? Array(bytes[12...]) : bytes
    }
}
