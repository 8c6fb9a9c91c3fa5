// SPDX-License-Identifier: Apache-2.0

import FODCProtocol
import SwiftProtobuf
import Testing

@testable import AgentSimulation

/// One agent's connection, whole, against a proxy in memory.
@Suite struct ConnectionTests {
    /// The id of the agent's only profile, out of its list.
    private func profileID(_ proxy: FakeProxy) throws -> String {
        try proxy.listProfiles("first")
        let lists = proxy.received.filter { $0.method == .streamPressureProfiles }
        let first = try Banyandb_Fodc_V1_StreamPressureProfilesRequest(serializedBytes: #require(lists.first?.message))
        return first.record.profileID
    }

    private func askLifecycle(_ proxy: FakeProxy) throws {
        var request = Banyandb_Fodc_V1_StreamLifecycleResponse()
        request.requestLifecycle = true
        try proxy.ask(.streamLifecycle, request)
    }

    @Test func agentConnection_opensAndAnswersEveryStream() throws {
        let proxy = try FakeProxy()
        #expect(proxy.openMethods == Set(AgentMethod.allCases))
        try askLifecycle(proxy)
        try proxy.ask(.streamClusterTopology, Banyandb_Fodc_V1_StreamClusterTopologyResponse())
        try proxy.ask(.streamCrashDiagnostics, Banyandb_Fodc_V1_StreamCrashDiagnosticsResponse())
        try proxy.ask(.streamSchemaRegistry, Banyandb_Fodc_V1_StreamSchemaRegistryResponse())
        try proxy.ask(.streamConfiguration, Fodc_Proxy_V1_NodeConfigurationRequest())
        try proxy.ask(.streamMetrics, Banyandb_Fodc_V1_StreamMetricsResponse())
        try proxy.listProfiles("list")
        #expect(proxy.count(.streamCrashDiagnostics) == 2)
        #expect(proxy.count(.streamSchemaRegistry) == 2)
        #expect(proxy.count(.streamPressureProfiles) == 2)
        let counts = proxy.statistics.snapshot
        #expect(counts.answers == 1)
        #expect(
            counts.streamAnswers == [
                .streamLifecycle: 1, .streamClusterTopology: 1, .streamCrashDiagnostics: 1, .streamSchemaRegistry: 1,
                .streamConfiguration: 1, .streamPressureProfiles: 1,
            ])
        #expect(proxy.end == nil)
    }

    @Test func agentConnection_stopsEveryStreamWhileADownloadIsNotRead() throws {
        let proxy = try FakeProxy()
        let id = try profileID(proxy)
        try proxy.advance(seconds: 3)
        let heartbeats = proxy.count(.registerAgent)
        #expect(heartbeats > 1)

        proxy.withheld = [.streamPressureProfiles]
        try proxy.fetch(id)
        try askLifecycle(proxy)
        try proxy.ask(.streamMetrics, Banyandb_Fodc_V1_StreamMetricsResponse())
        try proxy.advance(seconds: 60)
        #expect(proxy.count(.registerAgent) == heartbeats)
        #expect(proxy.count(.streamLifecycle) == 0 && proxy.count(.streamMetrics) == 0)

        try proxy.release(.streamPressureProfiles)
        #expect(proxy.count(.registerAgent) == heartbeats + 1, "a timer does not pile up")
        #expect(proxy.count(.streamLifecycle) == 1 && proxy.count(.streamMetrics) == 1)
        let order = proxy.received.map(\.method)
        #expect(order.last == .streamPressureProfiles, "others have their turn between chunks")
        #expect(proxy.count(.streamPressureProfiles) == 2 + 3)
    }

    @Test func agentConnection_sendsListsAfterTheDownload() throws {
        let proxy = try FakeProxy()
        let id = try profileID(proxy)
        proxy.withheld = [.streamPressureProfiles]
        try proxy.fetch(id)
        try proxy.listProfiles("second")
        try proxy.release(.streamPressureProfiles)
        let messages = try proxy.received.filter { $0.method == .streamPressureProfiles }.map {
            try Banyandb_Fodc_V1_StreamPressureProfilesRequest(serializedBytes: $0.message)
        }
        #expect(messages.dropFirst(2).prefix(3).allSatisfy { $0.chunk.requestID == "fetch" })
        #expect(messages.map(\.chunk.last) == [false, false, false, false, true, false, false])
        #expect(messages.last?.listComplete.requestID == "second")
    }

    @Test func agentConnection_continuesWithoutTheConfigurationExtension() throws {
        let proxy = try FakeProxy()
        #expect(proxy.openMethods.contains(.streamConfiguration))
        let older = try FakeProxy(unknown: [.streamConfiguration])
        #expect(older.openMethods == Set(AgentMethod.allCases).subtracting([.streamConfiguration]))
        try older.advance(seconds: 5)
        try askLifecycle(older)
        #expect(older.end == nil)
        #expect(older.count(.registerAgent) > 1 && older.count(.streamLifecycle) == 1)
    }

    /// As grpc-go dials again by itself: what is opened after a GOAWAY comes over another connection.
    @Test func agentConnection_opensStreamsOnANewConnectionAfterGoAway() throws {
        let proxy = try FakeProxy(goesAway: true)
        #expect(proxy.openMethods == [.registerAgent])
        #expect(proxy.streamsElsewhere == "some-id")
        #expect(proxy.end == nil, "the registration goes on where it is")
        try proxy.advance(seconds: 1)
        #expect(proxy.count(.registerAgent) == 2, "and so do its heartbeats")
        let second = try FakeProxy(part: .streams(agentID: "some-id"))
        #expect(second.openMethods == Set(AgentMethod.allCases).subtracting([.registerAgent]))
        try second.ask(.streamMetrics, Banyandb_Fodc_V1_StreamMetricsResponse())
        #expect(second.count(.streamMetrics) == 1)
    }

    @Test func agentConnection_reconnectsWhenARequiredStreamIsUnimplemented() throws {
        let proxy = try FakeProxy(unknown: [.streamLifecycle])
        #expect(
            proxy.end
                == .streamEnded(.streamLifecycle, .grpc(code: 12, message: ""), wasRegistered: true))
    }

    @Test func agentConnection_ofSilentAndHangingAgentsAnswersNothing() throws {
        for proxy in [try FakeProxy(silent: [.streamLifecycle]), try FakeProxy(behaviour: .hanging)] {
            try askLifecycle(proxy)
            try proxy.advance(seconds: 5)
            #expect(proxy.count(.streamLifecycle) == 0)
            #expect(proxy.count(.registerAgent) > 1)
        }
    }

    @Test func agentConnection_ofSlowAgentsAnswersLate() throws {
        let proxy = try FakeProxy(behaviour: .slow(.seconds(2)))
        try askLifecycle(proxy)
        try proxy.advance(seconds: 1)
        #expect(proxy.count(.streamLifecycle) == 0)
        try proxy.advance(seconds: 1)
        #expect(proxy.count(.streamLifecycle) == 1)
    }

    @Test func agentConnection_ofFrozenAgentsStopsHeartbeatsAndAnswers() throws {
        let proxy = try FakeProxy(behaviour: .frozen)
        try proxy.advance(seconds: 5)
        let heartbeats = proxy.count(.registerAgent)
        try askLifecycle(proxy)
        try proxy.advance(seconds: 20)
        #expect(proxy.count(.streamLifecycle) == 0 && proxy.count(.registerAgent) == heartbeats)
    }
}
