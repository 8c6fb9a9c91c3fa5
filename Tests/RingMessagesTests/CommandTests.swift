// SPDX-License-Identifier: Apache-2.0
import RingMessages
import Rings
import Testing

/// A payload between exporter and ingest comes out as it went in, and nothing else is taken for it.
@Suite struct CommandTests {
    private let ids = [AgentID(high: 1, low: 2), AgentID(high: .max, low: 0)]

    @Test(arguments: AgentStream.asked)
    func askCommand_decodesToTheEncodedValue(_ stream: AgentStream) {
        for agents in [nil, [], ids] as [[AgentID]?] {
            let command = AskCommand(stream: stream, deadlineNanoseconds: 77, agents: agents)
            #expect(AskCommand(payload: command.payload.span.bytes) == command)
        }
    }

    @Test func askCommand_rejectsUnknownStreams() {
        let command = AskCommand(stream: .metrics, deadlineNanoseconds: 1)
        #expect(AskCommand(payload: command.payload.span.bytes) == nil)
    }

    @Test func fetchCommand_decodesToTheEncodedValue() {
        let command = FetchCommand(agent: ids[0], profileID: "p", type: "heap", filepath: "/tmp/ü")
        #expect(FetchCommand(payload: command.payload.span.bytes) == command)
        let credit = FetchCredit(takenBytes: 1 << 40)
        #expect(FetchCredit(payload: credit.payload.span.bytes) == credit)
        let ending = FetchEnding(.agentError, message: "no such file")
        #expect(FetchEnding(payload: ending.payload.span.bytes) == ending)
    }

    @Test func command_rejectsEveryTruncation() {
        let payloads: [([UInt8], (RawSpan) -> Bool)] = [
            (
                AskCommand(stream: .topology, deadlineNanoseconds: 7, agents: ids).payload,
                { AskCommand(payload: $0) != nil }
            ),
            (
                FetchCommand(agent: ids[1], profileID: "p", type: "t", filepath: "f").payload,
                { FetchCommand(payload: $0) != nil }
            ),
            (FetchCredit(takenBytes: 3).payload, { FetchCredit(payload: $0) != nil }),
            (FetchEnding(.silent, message: "x").payload, { FetchEnding(payload: $0) != nil }),
        ]
        for (payload, isTaken) in payloads {
            func takes(_ bytes: [UInt8]) -> Bool { isTaken(bytes.span.bytes) }
            #expect(takes(payload))
            for count in payload.indices { #expect(!takes(Array(payload.prefix(count)))) }
            #expect(!takes(payload + [0]))
        }
    }

    @Test func messageList_rejectsMalformedLengths() {
        var list = MessageList()
        let messages: [[UInt8]] = [[1, 2, 3], [], [4]]
        for message in messages { list.append(message.span.bytes) }
        var seen: [[UInt8]] = []
        func isList(_ bytes: [UInt8]) -> Bool {
            seen = []
            return MessageList.forEach(in: bytes.span.bytes) { seen.append($0.withUnsafeBytes { Array($0) }) }
        }
        #expect(isList(list.bytes))
        #expect(seen == messages)
        for count in 1..<list.bytes.count where ![7, 11].contains(count) {
            #expect(!isList(Array(list.bytes.prefix(count))))
        }
    }
}
