// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Foundation
import RingMessages
import Rings
import SwiftProtobuf
import Testing

@testable import IngestCore

/// An exporter's question comes to the agent, and the answer comes back through the ring.
@Suite struct ConversationTests {
    private typealias Metrics = Banyandb_Fodc_V1_StreamMetricsRequest
    private typealias Profiles = Banyandb_Fodc_V1_StreamPressureProfilesRequest
    private typealias ProfilesRequest = Banyandb_Fodc_V1_StreamPressureProfilesResponse

    private func metrics(_ name: String, _ value: Double, at seconds: Int64? = nil) -> Metrics {
        Metrics.with { message in
            message.metrics = [
                .with { metric in
                    (metric.name, metric.value) = (name, value)
                    if let seconds { metric.timestamp = Google_Protobuf_Timestamp(seconds: seconds) }
                }
            ]
        }
    }

    // MARK: Metrics

    @Test func conversation_writesLatestValuesBehindTheirTable() throws {
        let conversation = try ConversationUnderTest()
        let stream = try conversation.open(.metrics)
        let number = try conversation.ask(
            .collect, CollectCommand(deadlineNanoseconds: ConversationUnderTest.deadline).payload)
        #expect(try conversation.client.message(0, on: stream).isEmpty)
        try conversation.send(metrics("up", 1), on: stream)
        #expect(try conversation.outcome(.roundDone, of: number)?.answered == [0])
        let table = try conversation.record(.series)
        let sample = try conversation.record(.sample)
        #expect(table.header.sequence < sample.header.sequence && sample.header.number == number)
        #expect(conversation.counter(.answeredLatest) == 1)
        // Nobody asked for this one.
        try conversation.send(metrics("up", 2), on: stream)
        try conversation.awaitCount(.answeredUnasked, 1)
        try conversation.worker.stop()
    }

    @Test func conversation_doesNotAskAgentsOfAnotherName() throws {
        let conversation = try ConversationUnderTest()
        _ = try conversation.open(.metrics)
        for (role, pod) in [(nil, "pod-1"), ("ROLE_LIAISON", nil)] as [(String?, String?)] {
            let command = CollectCommand(
                deadlineNanoseconds: ConversationUnderTest.deadline, role: role, podName: pod)
            let number = try conversation.ask(.collect, command.payload)
            #expect(try conversation.outcome(.roundDone, of: number) == CollectionOutcome(ending: .complete))
        }
        #expect(conversation.counter(.askedLatest) == 0)
        try conversation.worker.stop()
    }

    @Test func conversation_endsAStreamWithAMalformedAnswer() throws {
        let conversation = try ConversationUnderTest()
        let stream = try conversation.open(.metrics)
        let number = try conversation.ask(
            .collect, CollectCommand(deadlineNanoseconds: ConversationUnderTest.deadline).payload)
        _ = try conversation.client.message(0, on: stream)
        try conversation.client.send([0x0a, 0x05, 1], on: stream)
        #expect(try conversation.outcome(.roundDone, of: number)?.unanswered == [0])
        #expect(conversation.counter(.answeredMalformed) == 1)
        try conversation.worker.stop()
    }

    @Test func conversation_passesRequestsToANewerStream() throws {
        let conversation = try ConversationUnderTest()
        let older = try conversation.open(.metrics)
        let number = try conversation.ask(
            .collect, CollectCommand(deadlineNanoseconds: ConversationUnderTest.deadline).payload)
        _ = try conversation.client.message(0, on: older)
        let newer = older + 2
        try conversation.client.open(
            AgentStream.metrics.path, as: newer, metadata: [("agent_id", conversation.id.description)])
        // Lost on the older one, and with it the end of the collection that waited for it alone.
        #expect(try conversation.outcome(.roundDone, of: number)?.unanswered == [0])
        let next = try conversation.ask(
            .collect, CollectCommand(deadlineNanoseconds: ConversationUnderTest.deadline).payload)
        _ = try conversation.client.message(0, on: newer)
        try conversation.send(metrics("up", 1), on: newer)
        #expect(try conversation.outcome(.roundDone, of: next)?.answered == [0])
        try conversation.worker.stop()
    }

    @Test func conversation_asksForAWindowAfterRegistration() throws {
        let conversation = try ConversationUnderTest()
        let stream = try conversation.open(.metrics)
        let now = Int64(Date().timeIntervalSince1970)
        let window = CollectCommand.Window(
            startNanoseconds: (now - 1) * 1_000_000_000, endNanoseconds: now * 1_000_000_000)
        let command = CollectCommand(
            deadlineNanoseconds: ConversationUnderTest.deadline, window: window)
        let number = try conversation.ask(.collectWindow, command.payload)
        // Its latest values first, for what they tell of it.
        #expect(try conversation.client.message(0, on: stream).isEmpty)
        try conversation.send(metrics("up", 1, at: now), on: stream)
        let request = try conversation.request(
            1, on: stream, as: Banyandb_Fodc_V1_StreamMetricsResponse.self)
        #expect(request.startTime.seconds == now - 1 && request.endTime.seconds == now)
        try conversation.send(metrics("up", 2, at: now), on: stream)
        #expect(try conversation.record(.window).header.number == number)
        let done = try conversation.record(.windowDone)
        #expect(
            done.header.number == number && done.header.subject == 1,
            "the reader knows how many there were")
        #expect(CollectionOutcome(payload: done.payload.span.bytes)?.answered == [0])
        // One that nobody waits for any more is not answered.
        let dropped = try conversation.ask(.collectWindow, command.payload)
        _ = try conversation.client.message(2, on: stream)
        try conversation.ask(.windowDrop, [], number: dropped)
        try conversation.send(metrics("up", 3, at: now), on: stream)
        let last = try conversation.ask(.collectWindow, command.payload)
        _ = try conversation.client.message(3, on: stream)
        try conversation.send(metrics("up", 4, at: now), on: stream)
        #expect(try conversation.outcome(.windowDone, of: last)?.answered == [0])
        try conversation.worker.stop()
    }

    @Test func conversation_refusesAWindowWithoutTimes() throws {
        let conversation = try ConversationUnderTest()
        let number = try conversation.ask(
            .collectWindow, CollectCommand(deadlineNanoseconds: ConversationUnderTest.deadline).payload)
        #expect(try conversation.outcome(.windowDone, of: number)?.ending == .busy)
        try conversation.worker.stop()
    }

    // MARK: Answers of other streams

    @Test(arguments: [AgentStream.topology, .lifecycle, .configuration])
    func conversation_storesAnAnswerUnchanged(_ asked: AgentStream) throws {
        let conversation = try ConversationUnderTest()
        let stream = try conversation.open(asked)
        let command = AskCommand(stream: asked, deadlineNanoseconds: ConversationUnderTest.deadline)
        let number = try conversation.ask(.ask, command.payload)
        _ = try conversation.client.message(0, on: stream)
        // Of whatever type, field 1 is a time or a text: none of it is needed.
        try conversation.client.send([], on: stream)
        #expect(try conversation.outcome(.answersDone, of: number)?.answered == [0])
        #expect(try conversation.record(try #require(asked.record)).payload.isEmpty)
        try conversation.worker.stop()
    }

    @Test func conversation_doesNotAskUnlistedAgents() throws {
        let conversation = try ConversationUnderTest()
        _ = try conversation.open(.topology)
        let other = AgentID(high: 9, low: 9)
        let command = AskCommand(
            stream: .topology, deadlineNanoseconds: ConversationUnderTest.deadline, agents: [other])
        let number = try conversation.ask(.ask, command.payload)
        #expect(try conversation.outcome(.answersDone, of: number) == CollectionOutcome(ending: .complete))
        try conversation.worker.stop()
    }

    @Test func conversation_completesCrashRecordsWhenTheStreamIsSilent() throws {
        let conversation = try ConversationUnderTest()
        let stream = try conversation.open(.crashDiagnostics)
        let command = AskCommand(
            stream: .crashDiagnostics, deadlineNanoseconds: ConversationUnderTest.deadline)
        let number = try conversation.ask(.ask, command.payload)
        _ = try conversation.client.message(0, on: stream)
        for folder in ["/crash/1", "/crash/2", ""] {
            try conversation.send(
                Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest.with { $0.artifactDir = folder }, on: stream)
        }
        #expect(try conversation.outcome(.answersDone, of: number)?.answered == [0])
        let records = [try conversation.record(.crashRecord), try conversation.record(.crashRecord)]
        #expect(Set(records.map(\.header.subject)).count == 2, "and one without a folder does not count")
        try conversation.worker.stop()
    }

    // MARK: Profiles

    @Test func conversation_listsProfilesUntilTheEndOfTheRequest() throws {
        let conversation = try ConversationUnderTest()
        let stream = try conversation.open(.pressureProfiles)
        let command = AskCommand(
            stream: .pressureProfiles, deadlineNanoseconds: ConversationUnderTest.deadline)
        let number = try conversation.ask(.ask, command.payload)
        let request = try conversation.request(on: stream, as: ProfilesRequest.self).listProfiles
        for profile in ["p-1", "p-2"] {
            try conversation.send(Profiles.with { $0.record.profileID = profile }, on: stream)
        }
        try conversation.send(
            Profiles.with { $0.listComplete.requestID = request.requestID }, on: stream)
        #expect(try conversation.outcome(.answersDone, of: number)?.answered == [0])
        #expect(try conversation.record(.pressureList).payload.count > 0)
        try conversation.worker.stop()
    }

    private func fetch(_ conversation: ConversationUnderTest, of agent: AgentID? = nil) throws
        -> UInt64
    {
        try conversation.ask(
            .fetchProfile,
            FetchCommand(
                agent: agent ?? conversation.id, profileID: "p-1", type: "heap", filepath: "/tmp/heap"
            ).payload)
    }

    private func ending(_ conversation: ConversationUnderTest, _ number: UInt64) throws
        -> FetchEnding?
    {
        let ended = try conversation.record(.fetchEnded)
        return ended.header.number == number ? FetchEnding(payload: ended.payload.span.bytes) : nil
    }

    @Test func conversation_passesProfileChunksAndTheirTotal() throws {
        let conversation = try ConversationUnderTest()
        let stream = try conversation.open(.pressureProfiles)
        let number = try fetch(conversation)
        let request = try conversation.request(on: stream, as: ProfilesRequest.self).fetchProfile
        #expect(request.profileID == "p-1" && request.type == "heap" && request.filepath == "/tmp/heap")
        for (text, isLast) in [("first", false), ("last", true)] {
            try conversation.send(
                Profiles.with {
                    $0.chunk.requestID = request.requestID
                    $0.chunk.data = Data(text.utf8)
                    $0.chunk.last = isLast
                }, on: stream)
        }
        let pieces = [try conversation.record(.profileChunk), try conversation.record(.profileChunk)]
        #expect(pieces.map(\.header.subject) == [0, 5])
        #expect(pieces.map { String(decoding: $0.payload, as: UTF8.self) } == ["first", "last"])
        let ended = try conversation.record(.fetchEnded)
        #expect(ended.header.number == number && ended.header.subject == 9)
        #expect(FetchEnding(payload: ended.payload.span.bytes) == FetchEnding(.complete))
        try conversation.worker.stop()
    }

    @Test func conversation_reportsWhyAProfileFailed() throws {
        let conversation = try ConversationUnderTest()
        #expect(
            try ending(conversation, try fetch(conversation))?.cause == .unknownAgent,
            "it has no such stream")
        let stream = try conversation.open(.pressureProfiles)
        #expect(
            try ending(conversation, try fetch(conversation, of: AgentID(high: 9, low: 9)))?.cause
                == .unknownAgent)
        let refused = try fetch(conversation)
        let request = try conversation.request(on: stream, as: ProfilesRequest.self).fetchProfile
        try conversation.send(
            Profiles.with {
                $0.chunk.requestID = request.requestID
                $0.chunk.error = "no such file"
            }, on: stream)
        let ending = try ending(conversation, refused)
        #expect(ending?.cause == .agentError && ending?.message == "no such file")
        // One that nobody wants any more, and one that its worker's end cuts short.
        let dropped = try fetch(conversation)
        _ = try conversation.client.message(1, on: stream)
        try conversation.ask(.fetchCredit, FetchCredit(takenBytes: 0).payload, number: dropped)
        try conversation.ask(.fetchDrop, [], number: dropped)
        try conversation.worker.stop()
    }
}
