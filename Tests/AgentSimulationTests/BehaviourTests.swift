// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import AgentSimulation

@Suite struct BehaviourTests {
    @Test func agentBehaviour_assignsExactlyTheConfiguredFractions() {
        let behaviours = AgentBehaviour.assign(
            agentCount: 200, slow: (0.1, .seconds(2)), hanging: 0.05, frozen: 0.25, seed: 4)
        #expect(behaviours.count == 200)
        #expect(behaviours.count { $0 == .slow(.seconds(2)) } == 20)
        #expect(behaviours.count { $0 == .hanging } == 10)
        #expect(behaviours.count { $0 == .frozen } == 50)
        #expect(Array(behaviours.prefix(80)).contains(.normal), "not all at the beginning")
    }

    @Test func agentBehaviour_capsFractionsAboveOneAtAllAgents() {
        let behaviours = AgentBehaviour.assign(agentCount: 10, slow: (0.8, .seconds(1)), hanging: 1, frozen: 1, seed: 4)
        #expect(behaviours.count == 10)
        #expect(behaviours.count { $0 == .hanging } == 2)
    }

    @Test func connectionEnd_isAFailedAttemptOnlyBeforeRegistration() {
        let lost = StreamStatus.grpc(code: 14, message: "")
        #expect(ConnectionEnd.connectFailed("").wasFailedAttempt)
        #expect(ConnectionEnd.refused("").wasFailedAttempt)
        #expect(ConnectionEnd.streamEnded(.registerAgent, lost, wasRegistered: false).wasFailedAttempt)
        #expect(!ConnectionEnd.streamEnded(.streamMetrics, lost, wasRegistered: true).wasFailedAttempt)
        #expect(lost.name == "UNAVAILABLE")
        #expect(StreamStatus.grpc(code: 99, message: "").name == "grpc 99")
    }

    @Test func messageAssembler_reassemblesMessagesSplitAnywhere() throws {
        var bytes = ProxyMessageAssembler.framed([1, 2, 3])
        bytes.writeImmutableBuffer(ProxyMessageAssembler.framed([]))
        bytes.writeImmutableBuffer(ProxyMessageAssembler.framed(Array(repeating: 7, count: 300)))
        for size in [1, 2, 5, 7, 400] {
            var assembler = ProxyMessageAssembler()
            var messages: [[UInt8]] = []
            var rest = bytes
            while rest.readableBytes > 0 {
                let slice = rest.readSlice(length: min(size, rest.readableBytes))
                let piece = try #require(slice)
                assembler.append(piece.readableBytesSpan)
                while let message = try assembler.next() { messages.append(message) }
            }
            #expect(messages == [[1, 2, 3], [], Array(repeating: 7, count: 300)])
        }
    }

    @Test func messageAssembler_rejectsMalformedPrefixes() throws {
        var compressed = ProxyMessageAssembler()
        compressed.append(ByteBuffer(bytes: [1, 0, 0, 0, 0]).readableBytesSpan)
        #expect(throws: ProxyMessageAssembler.Fault.compressed) { try compressed.next() }
        var large = ProxyMessageAssembler()
        large.append(ByteBuffer(bytes: [0, 0xFF, 0xFF, 0xFF, 0xFF]).readableBytesSpan)
        #expect(throws: ProxyMessageAssembler.Fault.tooLarge(byteCount: 0xFFFF_FFFF)) { try large.next() }
    }
}
