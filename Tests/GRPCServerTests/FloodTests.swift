// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import NIOCore
import Testing

@testable import GRPCServer

/// Each kind of frame of which a peer can send more than an honest one does, and the cause under which that is counted.
@Suite struct FloodTests {
    struct Flood: CustomTestStringConvertible, Sendable {
        let name: String
        /// The frames of one round, for a stream that is open.
        let frames: @Sendable (Int32) -> [UInt8]

        var testDescription: String { name }
    }

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: Int32, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags] + bytes(stream) + payload
    }

    private static func bytes(_ number: Int32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }

    static let floods = [
        Flood(name: "PING") { _ in frame(6, 0, 0, [UInt8](repeating: 1, count: 8)) },
        Flood(name: "SETTINGS") { _ in frame(4, 0, 0, []) },
        Flood(name: "PRIORITY") { frame(2, 0, $0, [0, 0, 0, 0, 9]) },
        Flood(name: "WINDOW_UPDATE") { _ in frame(8, 0, 0, [0, 0, 0, 1]) },
        Flood(name: "empty DATA") { frame(0, 0, $0, []) },
        Flood(name: "padding") { frame(0, 8, $0, [1, 0]) },
        Flood(name: "unknown type") { _ in frame(0xee, 0, 0, [1]) },
    ]

    @Test(arguments: floods) func grpcConnection_closesEachFloodUnderItsCause(flood: Flood) throws {
        let harness = EmbeddedGRPC(
            configured { ($0.controlFrameBurst, $0.controlFramesPerSecond) = (50, 1) })
        let (attacker, other) = (try harness.connect(), try harness.connect())
        let stream = try harness.open("/t.T/Sink", by: attacker)
        // It takes no answers: its library would call some of them wrong, and close.
        attacker.isFrozen = true
        for _ in 0..<100 where harness.server.connectionCount == 2 {
            attacker.writeRaw(flood.frames(stream))
            harness.settle()
        }
        #expect(harness.server.connectionCount == 1 && other.isConnected)
        let causes = GRPCConnectionEnd.allCases.filter { harness.server.statistics.connectionsClosed($0) > 0 }
        #expect(causes == [.controlFrames])
    }

    /// Rapid Reset (CVE-2023-44487).
    @Test func grpcConnection_closesRapidResetsUnderTheirCause() throws {
        let harness = EmbeddedGRPC(configured { ($0.resetBurst, $0.resetsPerSecond) = (5, 1) })
        let attacker = try harness.connect()
        for _ in 0..<20 where attacker.isConnected {
            let id = try harness.open("/t.T/Sink", by: attacker)
            attacker.writeRaw(Self.frame(3, 0, id, [0, 0, 0, 8]))
            harness.settle()
        }
        #expect(!attacker.isConnected)
        #expect(harness.server.statistics.connectionsClosed(.resets) == 1)
    }

    /// A header block of one byte a field, each of which stands for a field of the table: as much as 16 KiB of header list
    /// resets the stream, whatever the block's size (an "HPACK bomb").
    @Test func grpcConnection_closesExpandingHeaderBlocks() throws {
        let harness = EmbeddedGRPC(configured { ($0.badFrameBurst, $0.badFramesPerSecond) = (2, 1) })
        let attacker = try harness.connect()
        // Its library has not opened the streams that are reset.
        attacker.isFrozen = true
        // A literal field with indexing: name "x", value of 3,000 bytes; then its place in the table, 5,000 times.
        let literal: [UInt8] = [0x40, 1, 0x78, 0x7f, 0xb9, 0x16] + [UInt8](repeating: 0x61, count: 3000)
        let block = literal + [UInt8](repeating: 0xbe, count: 5000)
        var stream: Int32 = 1
        for _ in 0..<10 where harness.server.connectionCount == 1 {
            attacker.writeRaw(Self.frame(1, 4, stream, block))
            harness.settle()
            stream += 2
        }
        #expect(harness.server.connectionCount == 0 && harness.service.calls.isEmpty)
        #expect(harness.server.statistics.connectionsClosed(.badFrames) == 1)
    }

    /// CVE-2020-11080.
    @Test func grpcConnection_closesSettingsOfManyEntries() throws {
        let harness = EmbeddedGRPC()
        let attacker = try harness.connect()
        attacker.isFrozen = true
        attacker.writeRaw(Self.frame(4, 0, 0, (0..<33).flatMap { _ in [0, 3, 0, 0, 0, 9] as [UInt8] }))
        harness.settle()
        #expect(harness.server.connectionCount == 0)
        #expect(harness.server.statistics.connectionsClosed(.protocolError) == 1)
    }
}
