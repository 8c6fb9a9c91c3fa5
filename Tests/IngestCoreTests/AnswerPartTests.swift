// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import RingMessages
import SwiftProtobuf
import Testing

@testable import IngestCore

/// The kind of a dropped message.
@Suite struct AnswerPartTests {
    private func part(_ message: some Message, _ stream: AgentStream) throws -> AnswerPart {
        let bytes: [UInt8] = try message.serializedBytes()
        return try #require(StreamDescription.all.first { $0.stream == stream }).part(bytes.span.bytes)
    }

    @Test func answerPart_isCompleteForStreamsOfOneMessage() throws {
        for stream in [AgentStream.topology, .lifecycle, .configuration] {
            #expect(try part(Banyandb_Fodc_V1_StreamClusterTopologyRequest(), stream) == .whole)
        }
        #expect(try part(Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest(), .crashDiagnostics) == .record)
    }

    @Test func answerPart_findsTheEndOfARegistry() throws {
        var chunk = Banyandb_Fodc_V1_StreamSchemaRegistryRequest()
        chunk.group.group = "g"
        chunk.group.objects = (0..<100).map { number in .with { $0.name = "object-\(number)" } }
        #expect(try part(chunk, .schemaRegistry) == .part)
        chunk.done = true
        #expect(try part(chunk, .schemaRegistry) == .last(requestID: nil))
    }

    @Test func answerPart_recognisesPartsOfProfiles() throws {
        typealias Request = Banyandb_Fodc_V1_StreamPressureProfilesRequest
        #expect(try part(Request.with { $0.record.profileID = "p" }, .pressureProfiles) == .part)
        #expect(
            try part(Request.with { $0.listComplete.requestID = "list-1" }, .pressureProfiles)
                == .last(requestID: "list-1"))
        #expect(try part(Request.with { $0.chunk.data = .init([1, 2]) }, .pressureProfiles) == .chunk)
    }

    @Test func answerPart_acceptsAnyBytes() {
        for bytes: [UInt8] in [[], [0xff], [0x0a, 0xff, 0xff], [0x10], [0x12, 0x02, 0x0a, 0x09], [0x00, 0x01]] {
            _ = StreamDescription.schemaRegistry.part(bytes.span.bytes)
            _ = StreamDescription.pressureProfiles.part(bytes.span.bytes)
        }
    }

    @Test func outstandingRequests_doNotWaitForADroppedAnswer() {
        var outstanding = OutstandingRequests(StreamDescription.lifecycle.timeouts)
        #expect(outstanding.ask(nowNanoseconds: 1) == .send)
        #expect(outstanding.ask(nowNanoseconds: 2) == .wait)
        outstanding.lose()
        #expect(!outstanding.isWaiting(nowNanoseconds: 2) && !outstanding.expectsAnswer)
        #expect(outstanding.ask(nowNanoseconds: 3) == .send)
    }

    @Test func reassembly_hasNoAnswerWhenAPartWasDropped() {
        var reassembly = Reassembly()
        let bytes: [UInt8] = [1, 2, 3]
        reassembly.append(bytes.span.bytes, limitBytes: 100)
        reassembly.lose()
        reassembly.append(bytes.span.bytes, limitBytes: 100)
        #expect(reassembly.take() == nil)
        reassembly.append(bytes.span.bytes, limitBytes: 100)
        #expect(reassembly.take() != nil, "the next answer begins anew")
    }
}
