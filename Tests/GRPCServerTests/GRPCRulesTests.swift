// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import HTTP2
import Platform
import Testing

/// The rules of gRPC over HTTP/2, over a real socket.
@Suite struct GRPCRulesTests {
    @Test func grpcServer_deliversMessagesInOrder() async throws {
        try await GRPCHarness.run { harness in
            let messages: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 9, count: 300_000), [4]]
            let result = try await harness.call(messages: messages)
            #expect(result.messages == messages)
            #expect(result.headers?[":status"] == "200")
            #expect(result.headers?["content-type"] == "application/grpc")
            #expect(result.status == 0)
            #expect(result.message == nil)
            let ends = try await harness.onLoop { $0.service.ends }
            #expect(ends == [.finished(.ok)])
            let statistics = try await harness.onLoop { $0.server.statistics }
            #expect(statistics.messagesReceived == 4 && statistics.messagesSent == 4)
            #expect(statistics.callsEnded(.ok) == 1)
            #expect(statistics.assemblyBytes == 0 && statistics.assemblyPeakBytes >= 300_000)
        }
    }

    @Test func grpcServer_closesConnectionsOfOtherNetworks() async throws {
        let elsewhere = configured { $0.allowedSources = AddressRanges("10.0.0.0/8") }
        try await GRPCHarness.run(elsewhere) { harness in
            let client = try await harness.connect()
            try await harness.eventually("the end of the connection") { _ in !client.isConnected }
            let statistics = try await harness.onLoop { $0.server.statistics }
            #expect(statistics.sourcesRefused == 1 && statistics.connectionsAccepted == 0)
        }
        let here = configured { $0.allowedSources = AddressRanges("10.0.0.0/8,127.0.0.0/8") }
        try await GRPCHarness.run(here) { harness in
            let result = try await harness.call(messages: [[1]])
            #expect(result.status == 0)
        }
    }

    @Test func grpcServer_acceptsFramesCutAnywhere() async throws {
        try await GRPCHarness.run { harness in
            let messages: [[UInt8]] = [[1], [2, 3, 4, 5, 6, 7, 8], [], [9]]
            let client = try await harness.connect()
            let id = try await harness.onLoop { _ in try client.open("/t.T/Echo") }
            for byte in messages.flatMap(GRPCHarness.frame) {
                try await harness.onLoop { _ in client.send([byte], on: id) }
            }
            try await harness.onLoop { _ in client.send([], on: id, isEnd: true) }
            try await harness.eventually("end") { _ in client.events.closed[id] != nil }
            let result = try await harness.onLoop { _ in CallResult(client.events, id) }
            #expect(result.messages == messages)
            #expect(result.status == 0)
        }
    }

    @Test func grpcServer_passesMetadataAndPeerToTheService() async throws {
        try await GRPCHarness.run { harness in
            let result = try await harness.call("/t.T/Who", ["agent_id": "a-1"], messages: [[0]])
            #expect(result.messages.first == Array("a-1".utf8))
            let peer = String(decoding: result.messages.last ?? [], as: UTF8.self)
            #expect(peer.hasPrefix("127.0.0.1:") && (Int(peer.dropFirst(10)) ?? 0) > 0)
        }
    }

    @Test func grpcServer_percentEncodesStatusMessages() async throws {
        try await GRPCHarness.run { harness in
            let result = try await harness.call("/t.T/Status", messages: [[5] + Array("50% für\n".utf8)], isEnd: false)
            #expect(result.status == 5)
            #expect(result.message == "50%25 f%C3%BCr%0A")
            #expect(result.isTrailersOnly)
        }
    }

    @Test func grpcServer_refusesAnOversizedMessageByItsPrefix() async throws {
        let configuration = configured { $0.maxMessageBytes = 1000 }
        try await GRPCHarness.run(configuration) { harness in
            let atLimit = try await harness.call(messages: [[UInt8](repeating: 1, count: 1000)])
            #expect(atLimit.status == 0)
            let client = try await harness.connect()
            let id = try await harness.onLoop { _ in try client.open("/t.T/Echo", framed: [0, 0, 0, 3, 233]) }
            try await harness.eventually("refusal") { _ in client.events.closed[id] != nil }
            let result = try await harness.onLoop { _ in CallResult(client.events, id) }
            #expect(result.status == 8)
            #expect(result.message?.contains("1001") == true && result.message?.contains("1000") == true)
            let statistics = try await harness.onLoop { $0.server.statistics }
            #expect(statistics.refused(.messageTooLarge) == 1)
            let ends = try await harness.onLoop { $0.service.ends }
            guard case .failed(let status) = ends.last else { return #expect(Bool(false), "\(ends)") }
            #expect(status.code == .resourceExhausted)
        }
    }

    @Test(
        arguments: [([0, 255, 255, 255, 255], 8), ([1, 0, 0, 0, 1], 12), ([2, 0, 0, 0, 1], 13)] as [([UInt8], Int)])
    func grpcServer_endsACallWithAnInvalidPrefix(prefix: [UInt8], code: Int) async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            let id = try await harness.onLoop { _ in try client.open("/t.T/Echo", framed: prefix) }
            try await harness.eventually("refusal") { _ in client.events.closed[id] != nil }
            let result = try await harness.onLoop { _ in CallResult(client.events, id) }
            #expect(result.status == code)
            #expect((result.trailers?["grpc-accept-encoding"] == "identity") == (code == 12))
        }
    }

    @Test func grpcServer_answersOtherEncodingsWithUnimplemented() async throws {
        try await GRPCHarness.run { harness in
            let refused = try await harness.call("/t.T/Echo", ["grpc-encoding": "gzip"])
            #expect(refused.status == 12)
            #expect(refused.trailers?["grpc-accept-encoding"] == "identity")
            #expect(refused.isTrailersOnly)
            let accepted = try await harness.call("/t.T/Echo", ["grpc-encoding": "identity"])
            #expect(accepted.status == 0)
        }
    }

    @Test(
        arguments: [
            ("application/grpc", true), ("application/grpc+proto", true), ("application/grpc;charset=utf-8", true),
            ("Application/GRPC", true), ("application/grpc+json", false), ("application/json", false),
            ("application/grpcx", false), (nil, false),
        ] as [(String?, Bool)])
    func grpcServer_acceptsOnlyGRPCContentTypes(type: String?, isTaken: Bool) async throws {
        try await GRPCHarness.run { harness in
            let result = try await harness.call("/t.T/Echo", ["content-type": type])
            #expect(result.headers?[":status"] == (isTaken ? "200" : "415"))
            #expect(result.status == (isTaken ? 0 : nil))
        }
    }

    @Test func grpcServer_acceptsOnlyPost() async throws {
        try await GRPCHarness.run { harness in
            let result = try await harness.call("/t.T/Echo", [":method": "GET"])
            #expect(result.headers?[":status"] == "405")
            #expect(result.headers?["allow"] == "POST")
        }
    }

    @Test func grpcServer_answersUnknownMethodsWithUnimplemented() async throws {
        try await GRPCHarness.run { harness in
            let result = try await harness.call("/t.T/Nothing")
            #expect(result.status == 12)
            #expect(result.message == "unknown method /t.T/Nothing")
            #expect(result.isTrailersOnly)
            let ends = try await harness.onLoop { $0.service.ends }
            #expect(ends.isEmpty)
        }
    }

    @Test(arguments: [1, 4, 5, 7]) func grpcServer_reportsATruncatedMessage(count: Int) async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            let bytes = Array(GRPCHarness.frame([1, 2, 3]).prefix(count))
            let id = try await harness.onLoop { _ in try client.open("/t.T/Sink", framed: bytes, isEnd: true) }
            try await harness.eventually("refusal") { _ in client.events.closed[id] != nil }
            let result = try await harness.onLoop { _ in CallResult(client.events, id) }
            #expect(result.status == 13)
            let state = try await harness.onLoop { ($0.service.halfClosed, $0.service.ends.count) }
            #expect(state == (0, 1))
        }
    }

    @Test func grpcServer_reportsACancelledCallOnce() async throws {
        try await GRPCHarness.run { harness in
            let client = try await harness.connect()
            let ids = try await harness.onLoop { _ in
                [try client.open("/t.T/Sink"), try client.open("/t.T/Sink", framed: [0, 0, 0, 1, 0, 5])]
            }
            try await harness.eventually("calls") { $0.service.calls.count == 2 }
            try await harness.onLoop { _ in client.cancel(ids[0]) }
            try await harness.eventually("reset") { $0.service.ends.count == 1 }
            try await harness.onLoop { _ in client.channel?.close(promise: nil) }
            try await harness.eventually("loss") { $0.service.ends.count == 2 && $0.server.connectionCount == 0 }
            let ends = try await harness.onLoop { $0.service.ends }
            #expect(ends == [.resetByPeer(.cancel), .connectionClosed(.peer)])
            let statistics = try await harness.onLoop { $0.server.statistics }
            #expect(statistics.connectionsClosed(.peer) == 1)
            #expect(statistics.assemblyBytes == 0)
            try await harness.onLoop {
                for call in $0.service.calls {
                    call.send([1])
                    call.finish(.ok)
                }
            }
            #expect(try await harness.onLoop { $0.service.ends.count } == 2)
        }
    }

    @Test func grpcServer_carriesManyStreamsOfLargeMessages() async throws {
        let configuration = configured { $0.maxQueuedBytes = 64 << 20 }
        try await GRPCHarness.run(configuration) { harness in
            let client = try await harness.connect()
            let ids = try await harness.onLoop { _ in
                try (0..<1000).map {
                    try client.open("/t.T/Echo", framed: GRPCHarness.frame([UInt8($0 & 255)]), isEnd: true)
                }
            }
            try await harness.eventually("all streams") { _ in client.events.closed.count == 1000 }
            let results = try await harness.onLoop { _ in ids.map { CallResult(client.events, $0) } }
            #expect(results.enumerated().allSatisfy { $1.messages == [[UInt8($0 & 255)]] && $1.status == 0 })

            try await harness.onLoop { $0.service.keepsMessages = false }
            let large = try await harness.call("/t.T/Sink", messages: [[UInt8](repeating: 3, count: 32 << 20)])
            #expect(large.status == 0)
            #expect(try await harness.onLoop { $0.server.statistics.assemblyPeakBytes } <= 32 << 20)
        }
    }
}
