// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import Platform
import Testing

@testable import HTTPServer

/// Which connections make room, and whose they are.
@Suite struct EvictionTests {
    private func source(_ address: String) throws -> NetworkSource {
        NetworkSource(try SocketAddress(ipAddress: address, port: 1))
    }

    @Test func connectionSource_isAnIPv4Address_inEachNotation() throws {
        let one = try source("192.0.2.1")
        #expect(try source("::ffff:192.0.2.1") == one)
        #expect(try source("192.0.2.2") != one)
        #expect(try source("::ffff:192.0.2.2") != one)
    }

    @Test func connectionSource_isTheNetworkOfAnIPv6Address() throws {
        let one = try source("2001:db8:1:2::1")
        #expect(try source("2001:db8:1:2:3:4:5:6") == one)
        #expect(try source("2001:db8:1:3::1") != one)
        #expect(try source("2001:db9:1:2::1") != one)
        // The bits of an IPv4 address mean something else at the front of an IPv6 address.
        #expect(try source("0:0:c000:201::1") != source("192.0.2.1"))
    }

    /// Two requests wait, and hold more than the share of their source.
    private func waiting(reserved: Set<String>) throws -> EmbeddedServer {
        let server = try EmbeddedServer {
            $0.maximumConnections = 2
            $0.reservedPaths = reserved
        }
        server.exchange(get("/held"))
        server.loop.advanceTime(by: .milliseconds(1))
        let other = EmbeddedChannel(loop: server.loop)
        try server.attach(other)
        other.pipeline.fireChannelRead(ByteBuffer(string: get("/held")))
        server.loop.advanceTime(by: .seconds(10))
        return server
    }

    @Test func eviction_closesWaitingRequests_exceptThoseOfReservedPaths() throws {
        for (reserved, makesRoom) in [([], true), (["/hello"], true), (["/held"], false)] as [(Set<String>, Bool)] {
            let server = try waiting(reserved: reserved)
            #expect(server.server.evictOne() == makesRoom)
            #expect(server.isOpen == !makesRoom, "the one that has waited for longest goes")
        }
    }

    @Test func evictionRank_isByOrderThenBySpeedThenByAge() {
        func rank(_ order: EvictionRank.Order, _ speed: Double = 0, since: Int64 = 0) -> EvictionRank {
            EvictionRank(order: order, bytesPerSecond: speed, since: .uptimeNanoseconds(UInt64(since)))
        }
        let sorted = [
            rank(.lingering, since: 9), rank(.idle, since: 8), rank(.silent, since: 1), rank(.silent, since: 2),
            rank(.slowReaderOverShare, 9), rank(.waitingOverShare), rank(.slowReader, 1, since: 5),
            rank(.slowReader, 2, since: 1),
        ]
        for (index, one) in sorted.enumerated() {
            for (other, two) in sorted.enumerated() { #expect((one < two) == (index < other)) }
        }
    }
}
