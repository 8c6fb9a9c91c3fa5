// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Reports
import RingMessages
import Rings

@testable import IngestCore

// The messages of exporter and ingest worker through their rings, besides metrics: an input is the type, and the
// payload. Commands go on to the machines that they are for.

extension FuzzTarget {
    static let ringMessages = FuzzTarget("ring-messages", limitBytes: 1024, seeds: RingMessagesRun.seeds) { bytes in
        var input = FuzzInput(bytes)
        switch input.below(9) {
        case 0: try RingMessagesRun.roundTrip(IdentityRecord.self, input.rest())
        case 1: try RingMessagesRun.roundTrip(CollectionOutcome.self, input.rest())
        case 2: try RingMessagesRun.roundTrip(CollectCommand.self, input.rest()).map { try RingMessagesRun.plan($0) }
        case 3: try RingMessagesRun.roundTrip(AskCommand.self, input.rest())
        case 4: try RingMessagesRun.roundTrip(FetchEnding.self, input.rest())
        case 5: try RingMessagesRun.fetches(&input)
        case 6: try RingMessagesRun.schema(input.rest())
        case 7: try RingMessagesRun.list(input.rest())
        default:
            let bytes = input.rest()
            try RingMessagesRun.roundTrip(FetchCommand.self, bytes)
            try RingMessagesRun.roundTrip(FetchCredit.self, bytes)
        }
    }
}

private enum RingMessagesRun {
    @discardableResult
    static func roundTrip<M: RecordPayload>(_ type: M.Type, _ bytes: [UInt8]) throws -> M? {
        guard let message = M(payload: bytes.span.bytes) else { return nil }
        try hold(message.payload == bytes, "\(message) is written otherwise than it was read")
        return message
    }

    /// A window of any length is asked for in parts that go back in time, and come to an end.
    static func plan(_ command: CollectCommand) throws {
        guard let window = command.window else { return }
        var plan = WindowPlan(window)
        var before = window.endNanoseconds
        for _ in 0..<300 {
            guard
                let part = plan.nextPart(
                    series: 1000, bytesPerSample: 100, pointsPerSecond: 1, newestNanoseconds: 1_700_000_000_000_000_000)
            else { return }
            try hold(part.startNanoseconds <= part.endNanoseconds, "a part that ends before it begins: \(part)")
            try hold(
                part.startNanoseconds >= window.startNanoseconds && part.endNanoseconds <= before,
                "a part outside of its window: \(part)")
            before = part.endNanoseconds
            plan.received(isEmpty: true, isDensityKnown: false)
        }
        try hold(plan.isFinished, "300 empty parts, and no end")
    }

    /// Downloads: requests, credits, drops and chunks in any order.
    static func fetches(_ input: inout FuzzInput) throws {
        var fetches = ProfileFetches()
        var now: UInt64 = 1
        while !input.isAtEnd {
            let key = ProfileFetches.Key(generation: UInt64(input.below(2)), number: UInt64(input.below(4)))
            switch input.below(8) {
            case 0, 1:
                _ = fetches.fetch(
                    key, FetchCommand(agent: AgentID(high: 1, low: 1), profileID: "p", type: "heap", filepath: "f"),
                    nowNanoseconds: now)
            case 2: _ = fetches.credited(key, takenBytes: input.word())
            case 3: _ = fetches.drop(key)
            case 4:
                _ = fetches.chunk(
                    requestID: ProfileFetches.requestID(key), byteCount: input.below(1 << 16) << 5,
                    isLast: input.flag(),
                    error: input.flag() ? "broken" : "", nowNanoseconds: now)
            case 5: _ = fetches.exporterGone(generation: key.generation)
            case 6: _ = input.flag() ? fetches.streamClosed() : fetches.drain()
            default:
                now += UInt64(input.below(1 << 16)) * 1_000_000
                _ = fetches.tick(nowNanoseconds: now)
            }
            try hold(fetches.waitingCount <= ProfileFetches.maximumWaiting, "\(fetches.waitingCount) downloads wait")
        }
    }

    static func schema(_ bytes: [UInt8]) throws {
        guard let read = SchemaConsistency(encoded: bytes.span.bytes) else { return }
        let written = read.encoded
        guard let again = SchemaConsistency(encoded: written.span.bytes) else {
            throw Finding("the next exporter would refuse what is kept of the schema check")
        }
        try hold(again.encoded == written, "what is kept of the schema check is another after it was read")
        _ = read.gaugeValues
    }

    static func list(_ bytes: [UInt8]) throws {
        var list = MessageList()
        guard MessageList.forEach(in: bytes.span.bytes, { list.append($0) }) else { return }
        try hold(list.bytes == bytes, "a list is written otherwise than it was read")
    }

    static let seeds: [[UInt8]] = {
        let identity = IdentityRecord(
            id: AgentID(high: 1, low: 2), identity: AgentIdentity(podName: "pod-0", containerNames: ["a", "b"]),
            role: "ROLE_DATA", labels: [AgentLabel(key: "k", value: "v")], peer: "p", registeredAtNanoseconds: 5)
        let outcome = CollectionOutcome(ending: .deadline, answered: [1, 2], unanswered: [3], skipped: [4])
        let collect = CollectCommand(
            deadlineNanoseconds: 5, window: .init(startNanoseconds: 0, endNanoseconds: 1_700_000_000_000_000_000),
            role: "ROLE_DATA", podName: "pod-0")
        let ask = AskCommand(stream: .topology, deadlineNanoseconds: 5, agents: [AgentID(high: 1, low: 2)])
        var list = MessageList()
        list.append([1, 2, 3].span.bytes)
        list.append(RawSpan())
        let fetches: [UInt8] = [
            5, 0, 1, 0, 1, 1, 4, 0, 16, 0, 0, 0, 1, 2, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 128, 0, 1, 3,
        ]
        return [
            [0] + identity.payload, [1] + outcome.payload, [2] + collect.payload, [3] + ask.payload,
            [4] + FetchEnding(.busy, message: "m").payload, fetches, [6] + SchemaConsistency().encoded,
            [7] + list.bytes,
            [8] + FetchCredit(takenBytes: 9).payload,
            [8] + FetchCommand(agent: AgentID(high: 1, low: 2), profileID: "p", type: "heap", filepath: "f").payload,
        ]
    }()
}
