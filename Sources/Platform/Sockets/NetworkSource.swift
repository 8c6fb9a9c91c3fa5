// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Where a connection comes from, as limits per source count it: an IPv4 address, or the first 64 bits of an IPv6 address,
/// because one host has a whole /64 to choose from. An IPv4 address that is written in IPv6 (`::ffff:10.0.0.1`) is the IPv4
/// address.
public struct NetworkSource: Hashable, Sendable {
    private let prefix: UInt64
    private let isIPv6: Bool

    /// Connections whose address is not known are one source.
    public static let unknown = NetworkSource(prefix: 0, isIPv6: false)

    private init(prefix: UInt64, isIPv6: Bool) {
        self.prefix = prefix
        self.isIPv6 = isIPv6
    }

    /// - Parameter host: a numeric address, without a port.
    public init(host: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            self.init(prefix: UInt64(UInt32(bigEndian: four.s_addr)), isIPv6: false)
        } else if inet_pton(AF_INET6, host, &six) == 1 {
            let (high, low) = withUnsafeBytes(of: &six) {
                (
                    UInt64(bigEndian: $0.load(as: UInt64.self)),
                    UInt64(bigEndian: $0.load(fromByteOffset: 8, as: UInt64.self))
                )
            }
            let isMapped = high == 0 && low >> 32 == 0xffff
            self.init(prefix: isMapped ? low & 0xffff_ffff : high, isIPv6: !isMapped)
        } else {
            self = .unknown
        }
    }
}
