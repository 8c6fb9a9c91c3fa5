// SPDX-License-Identifier: Apache-2.0
import BinaryCoding

/// Messages of the worker socket as bytes. An unknown message, or one of the wrong length, is `nil`: a worker may be of another
/// version than the supervisor during an update.
public enum MessageCoding {
    /// To be raised when a message or a launch argument changes its meaning: programs of different ones are not started
    /// together (``WorkerCheck``).
    public static let version: UInt8 = 3
    /// Bytes of a text in a message at most.
    public static let limitTextBytes = 1024

    public static func encode(_ message: SupervisorMessage) -> [UInt8] { message.encoded }
    public static func encode(_ message: WorkerMessage) -> [UInt8] { message.encoded }

    public static func decodeSupervisorMessage(_ bytes: [UInt8]) -> SupervisorMessage? {
        try? SupervisorMessage(encoded: bytes.span.bytes)
    }

    public static func decodeWorkerMessage(_ bytes: [UInt8]) -> WorkerMessage? {
        try? WorkerMessage(encoded: bytes.span.bytes)
    }
}

extension SupervisorMessage: BinaryMessage {
    public static let version = MessageCoding.version

    private enum Kind: UInt8 {
        case drain = 1
        case stop, logLevel, retire, takeRing, ring, ringGone, adopt, accepting
    }

    public func encode(into writer: inout BinaryWriter) {
        switch self {
        case .drain(let deadline):
            writer.append(Kind.drain)
            writer.append(deadline)
        case .retire(let deadline):
            writer.append(Kind.retire)
            writer.append(deadline)
        case .stop: writer.append(Kind.stop)
        case .logLevel(let level):
            writer.append(Kind.logLevel)
            writer.append(cut: level)
        case .takeRing: writer.append(Kind.takeRing)
        case .ring(let index):
            writer.append(Kind.ring)
            writer.append(workerIndex: index)
        case .ringGone(let index):
            writer.append(Kind.ringGone)
            writer.append(workerIndex: index)
        case .adopt(let index):
            writer.append(Kind.adopt)
            writer.append(workerIndex: index)
        case .accepting(let isAccepting):
            writer.append(Kind.accepting)
            writer.append(isAccepting)
        }
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        self =
            switch try reader.value(Kind.self) {
            case .drain: .drain(deadlineNanoseconds: try reader.integer())
            case .retire: .retire(deadlineNanoseconds: try reader.integer())
            case .stop: .stop
            case .logLevel: .logLevel(try reader.text(atMost: MessageCoding.limitTextBytes))
            case .takeRing: .takeRing
            case .ring: .ring(index: try reader.workerIndex())
            case .ringGone: .ringGone(index: try reader.workerIndex())
            case .adopt: .adopt(index: try reader.workerIndex())
            case .accepting: .accepting(try reader.flag())
            }
    }
}

extension WorkerMessage: BinaryMessage {
    public static let version = MessageCoding.version

    /// None of the supervisor's numbers, so that a message is never taken for one of the other direction.
    private enum Kind: UInt8 {
        case ready = 65
        case standby, adopted, accepting, sandboxed, refusedCall
    }

    public func encode(into writer: inout BinaryWriter) {
        switch self {
        case .ready: writer.append(Kind.ready)
        case .standby: writer.append(Kind.standby)
        case .adopted(let index):
            writer.append(Kind.adopted)
            writer.append(workerIndex: index)
        case .accepting(let isAccepting):
            writer.append(Kind.accepting)
            writer.append(isAccepting)
        case .sandboxed(let missing):
            writer.append(Kind.sandboxed)
            writer.append(cut: missing)
        case .refusedCall(let number):
            writer.append(Kind.refusedCall)
            // Last, and of four bytes: a signal handler puts it there.
            writer.append(number)
        }
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        self =
            switch try reader.value(Kind.self) {
            case .ready: .ready
            case .standby: .standby
            case .adopted: .adopted(index: try reader.workerIndex())
            case .accepting: .accepting(try reader.flag())
            case .sandboxed: .sandboxed(missing: try reader.text(atMost: MessageCoding.limitTextBytes))
            case .refusedCall: .refusedCall(try reader.integer())
            }
    }
}

extension BinaryWriter {
    fileprivate mutating func append(workerIndex index: Int) { append(UInt8(index)) }

    /// Appends the first ``MessageCoding/limitTextBytes`` of a text, cut before a character.
    fileprivate mutating func append(cut text: String) {
        guard text.utf8.count > MessageCoding.limitTextBytes else { return append(text) }
        var end = text.utf8.index(text.startIndex, offsetBy: MessageCoding.limitTextBytes)
        while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        append(String(text[..<end]))
    }
}

extension BinaryReader {
    fileprivate mutating func workerIndex() throws(BinaryError) -> Int {
        let index = Int(try integer(UInt8.self))
        guard index < WorkerLaunch.limitWorkers else { throw .invalidValue("there is no worker \(index)") }
        return index
    }
}
