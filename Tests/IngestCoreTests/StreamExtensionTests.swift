// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRPCCauses
import GRPCServer
import Platform
import RingMessages
import Rings
import Testing

@testable import IngestCore

/// A stream is one value of a table: whatever a worker does with streams follows from it.
@Suite struct StreamExtensionTests {
    /// Any bytes are an answer, but for these.
    private static let malformed: [UInt8] = Array("no answer".utf8)

    private static let stream = AgentStream(
        15, "StreamMadeUp", of: "made.up.Service", name: "made_up", record: RecordType(rawValue: 90))
    private static let madeUp = StreamDescription(
        stream, request: .constant(Array("how are you".utf8)), answer: .message(isTimestamped: false)
    ) { message in
        struct Malformed: Error {}
        guard message.copiedBytes != malformed else { throw Malformed() }
        return ParsedMessage(content: .answer)
    }

    @Test func streamTable_describesEveryStreamThatExportersRequest() {
        #expect(StreamDescription.all.map(\.stream) == AgentStream.asked)
        #expect(Set(AgentStream.allCases.map(\.rawValue)).count == AgentStream.allCases.count)
        #expect(Set(AgentStream.allCases.map(\.path)).count == AgentStream.allCases.count)
        #expect(Set(AgentStream.asked.compactMap(\.record)).count == AgentStream.asked.count)
    }

    /// An agent opens it, is asked on it and answers, as on every other.
    @Test func ingestWorker_asksOnAStreamThatOnlyItsTableNames() throws {
        let worker = try WorkerOnLoop(streams: StreamDescription.all + [Self.madeUp])
        let client = try RegisteringClient(listener: worker.launch.descriptors.listener)
        _ = try client.register(pod: "pod", until: ["agent registered"])
        let id = try #require(worker.onLoop { $0.service.registry.all.first?.id.description })
        try client.open(Self.stream.path, as: 3, metadata: [("agent_id", id)])
        while try worker.onLoop({ $0.service.registry.all.first?.answerStream(Self.stream) == nil }) {}
        let command = AskCommand(stream: Self.stream, deadlineNanoseconds: .max)
        try worker.onLoop { $0.answers.ask(command, CommandID(generation: 2, number: 7)) }
        _ = try client.answer(until: ["how are you"])
        try client.send(Array("well".utf8), on: 3)
        let records = try Self.records(worker)
        #expect(records.map(\.type) == [try #require(Self.stream.record), .answersDone])
        #expect(records.first?.payload == Array("well".utf8))
        #expect(records.last.flatMap { CollectionOutcome(payload: $0.payload.span.bytes) }?.answered == [0])
        let reader = try worker.reader()
        #expect(reader.counter(StreamCounter.asked.word(of: Self.stream)) == 1)
        #expect(reader.counter(StreamCounter.answered.word(of: Self.stream)) == 1)
        // A message that its parser refuses ends the stream.
        try worker.onLoop { $0.answers.ask(command, CommandID(generation: 2, number: 8)) }
        try client.send(Self.malformed, on: 3)
        while reader.counter(StreamCounter.malformed.word(of: Self.stream)) == 0 {}
        while try worker.onLoop({ $0.service.registry.all.first?.answerStream(Self.stream) != nil }) {}
        try worker.stop()
    }

    /// A stream that is in no table is no method of the proxy.
    @Test func ingestWorker_rejectsAStreamOutsideItsTable() throws {
        let worker = try WorkerOnLoop()
        let client = try RegisteringClient(listener: worker.launch.descriptors.listener)
        _ = try client.register(pod: "pod", until: ["agent registered"])
        try client.open(Self.stream.path, as: 3, metadata: [("agent_id", "00")])
        while try worker.onLoop({ $0.server.statistics.refused(.unknownPath) }) == 0 {}
        try worker.stop()
    }

    /// Waits for the end of the collection.
    /// - Returns: what has come since the agent is there.
    private static func records(_ worker: WorkerOnLoop) throws -> [(type: RecordType, payload: [UInt8])] {
        let reader = try worker.reader()
        var records: [(type: RecordType, payload: [UInt8])] = []
        while records.last?.type != .answersDone {
            _ = reader.next { header, payload in
                if header.type != .identity { records.append((header.type, payload.copiedBytes)) }
            }
        }
        return records
    }

    /// Where the code of all streams would have to name each of them, adding one would touch it.
    @Test(arguments: ["schemaRegistry", "pressureProfiles", "crashDiagnostics"])
    func agentStream_isNamedInThreeFilesAtMost(name: String) throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        var naming: [String] = []
        for target in ["RingMessages", "IngestCore"] {
            let folder = sources.appending(path: target)
            let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            for case let file as URL in files where file.pathExtension == "swift" {
                let text = try String(contentsOf: file, encoding: .utf8)
                if text.contains(name) { naming.append(file.lastPathComponent) }
            }
        }
        // Downloads are a feature of their own, on the stream of profiles.
        naming.removeAll { $0 == "ProfileDownloads.swift" }
        #expect((1...3).contains(naming.count), "\(naming)")
    }
}
