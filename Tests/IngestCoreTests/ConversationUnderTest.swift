// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Glibc
import Platform
import RingMessages
import Rings
import SwiftProtobuf

@testable import IngestCore

/// A whole worker between one agent and one exporter, which are both the test.
final class ConversationUnderTest {
    struct NeverHappened: Error { let what: String }

    private static let generation: UInt64 = 1

    let worker: WorkerOnLoop
    let client: RegisteringClient
    let id: AgentID
    private let commands: RingWriter
    private let reader: RingReader
    /// Records that have come and have not been asked for by ``record(_:)``.
    private var waiting: [(header: RecordHeader, payload: [UInt8])] = []
    private var lastStream: UInt8 = 1
    private var lastNumber: UInt64 = 0

    init() throws {
        worker = try WorkerOnLoop()
        client = try RegisteringClient(listener: worker.launch.descriptors.listener)
        _ = try client.register(pod: "pod-0", until: ["agent registered"])
        guard let id = try worker.onLoop({ $0.service.registry.all.first?.id }),
            case .ingest(let rings) = worker.launch.descriptors.rings
        else { throw NeverHappened(what: "the agent is listed") }
        self.id = id
        commands = try RingWriter.format(
            descriptor: rings.commandB, kind: .command, index: 0, generation: Self.generation,
            maximumRingBytes: 1 << 20)
        reader = try worker.reader()
    }

    private func eventually(_ what: String, _ holds: () throws -> Bool) throws {
        for _ in 0..<15_000 {
            if try holds() { return }
            usleep(2000)
        }
        throw NeverHappened(what: what)
    }

    // MARK: The agent

    /// Opens a stream of the agent.
    /// - Returns: the number for ``RegisteringClient/send(_:on:)``.
    func open(_ stream: AgentStream) throws -> UInt8 {
        lastStream += 2
        try client.open(stream.path, as: lastStream, metadata: [("agent_id", id.description)])
        try eventually("the worker has the stream") {
            try worker.onLoop { worker in
                let agent = worker.service.registry.all.first
                return stream == .metrics ? agent?.metrics != nil : agent?.answerStream(stream) != nil
            }
        }
        return lastStream
    }

    func send(_ message: some Message, on stream: UInt8) throws {
        let bytes: [UInt8] = try message.serializedBytes()
        try client.send(bytes, on: stream)
    }

    /// The request of that number on a stream; waits for it.
    func request<Wanted: Message>(_ number: Int = 0, on stream: UInt8, as _: Wanted.Type) throws
        -> Wanted
    {
        try Wanted(serializedBytes: try client.message(number, on: stream))
    }

    // MARK: The exporter

    /// - Returns: the number that the answers bear.
    @discardableResult
    func ask(_ type: RecordType, _ payload: [UInt8], number: UInt64? = nil) throws -> UInt64 {
        if number == nil { lastNumber += 1 }
        try commands.append(
            type, generation: Self.generation, number: number ?? lastNumber, payload.span.bytes)
        try worker.onLoop { $0.core.readCommands() }
        return number ?? lastNumber
    }

    static var deadline: UInt64 { MonotonicClock.nowNanoseconds() + 60_000_000_000 }

    /// The next record of a type; waits for it.
    func record(_ type: RecordType) throws -> (header: RecordHeader, payload: [UInt8]) {
        var found: Int?
        try eventually("a record \(type.name)") {
            while reader.next({ header, payload in waiting.append((header, payload.copiedBytes)) })
                == .record
            {}
            found = waiting.firstIndex { $0.header.type == type }
            return found != nil
        }
        return waiting.remove(at: found ?? 0)
    }

    /// How a collection has ended.
    func outcome(_ type: RecordType, of number: UInt64) throws -> CollectionOutcome? {
        let record = try record(type)
        return record.header.number == number ? CollectionOutcome(payload: record.payload.span.bytes) : nil
    }

    func counter(_ counter: IngestCounter) -> UInt64 { reader.counter(counter.rawValue) }

    func awaitCount(_ counter: IngestCounter, _ count: UInt64) throws {
        try eventually("\(counter) is \(count)") { self.counter(counter) == count }
    }
}

extension RegisteringClient {
    /// The messages that have come on a stream: DATA frames, cut into messages by flag and length.
    private func messages(on stream: UInt8) -> [[UInt8]] {
        var (rest, data) = (received[...], [UInt8]())
        while rest.count >= 9 {
            let start = rest.startIndex
            let length = Int(rest[start]) << 16 | Int(rest[start + 1]) << 8 | Int(rest[start + 2])
            guard rest.count >= 9 + length else { break }
            if rest[start + 3] == 0, rest[start + 8] == stream {
                data += rest[(start + 9)..<(start + 9 + length)]
            }
            rest = rest.dropFirst(9 + length)
        }
        var messages: [[UInt8]] = []
        var bytes = data[...]
        while bytes.count >= 5 {
            let length = bytes.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard bytes.count >= 5 + length else { break }
            messages.append(Array(bytes.dropFirst(5).prefix(length)))
            bytes = bytes.dropFirst(5 + length)
        }
        return messages
    }

    /// The message of that number on a stream; waits for it.
    func message(_ number: Int, on stream: UInt8) throws -> [UInt8] {
        while true {
            let messages = messages(on: stream)
            if number < messages.count { return messages[number] }
            try read()
        }
    }
}
