// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import AgentSimulation

@Suite struct OutboxTests {
    @Test func outbox_sendsMessagesOfAllStreamsInOneOrder() {
        var outbox = Outbox()
        #expect(outbox.method == nil)
        outbox.append(OutgoingMessage(Array(repeating: 1, count: 95), on: .streamLifecycle, endsAnswer: true))
        outbox.append(OutgoingMessage([2], on: .registerAgent, endsAnswer: false))
        outbox.append(OutgoingMessage([3], on: .streamLifecycle, endsAnswer: true))
        #expect(outbox.contains(.registerAgent) && !outbox.contains(.streamMetrics))
        var order: [AgentMethod] = []
        var sizes: [Int] = []
        var finished: [Bool] = []
        while let method = outbox.method {
            let (piece, message) = outbox.nextPiece(about: 40)
            order.append(method)
            sizes.append(piece.readableBytes)
            finished.append(message != nil)
        }
        #expect(order == [.streamLifecycle, .streamLifecycle, .streamLifecycle, .registerAgent, .streamLifecycle])
        #expect(sizes == [40, 40, 20, 6, 6])
        #expect(finished == [false, false, true, true, true])
    }

    @Test func outbox_skipsMessagesOfClosedStreams() {
        var outbox = Outbox()
        outbox.append(OutgoingMessage([1], on: .streamConfiguration, endsAnswer: true))
        outbox.append(OutgoingMessage([2], on: .registerAgent, endsAnswer: false))
        outbox.dropFirst()
        #expect(outbox.method == .registerAgent)
        outbox.removeAll()
        #expect(outbox.method == nil)
    }

    @Test func streamStatus_recognisesUnimplementedMethods() {
        #expect(StreamStatus.grpc(code: 12, message: "").isUnimplemented)
        #expect(StreamStatus.http("404").isUnimplemented)
        #expect(!StreamStatus.grpc(code: 16, message: "").isUnimplemented)
        #expect(!StreamStatus.connectionLost.isUnimplemented)
    }

    @Test func agentMethod_hasThePathOfItsService() {
        #expect(AgentMethod.streamConfiguration.path == "/fodc.proxy.v1.NodeConfigurationService/StreamConfiguration")
        #expect(AgentMethod.streamLifecycle.path == "/banyandb.fodc.v1.FODCService/StreamLifecycle")
        #expect(AgentMethod.allCases.last == .streamConfiguration)
    }
}
