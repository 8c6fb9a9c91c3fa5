// SPDX-License-Identifier: Apache-2.0

/// Messages of the worker socket as bytes: one byte says which, the rest is its content. What is not known or has the
/// wrong length is `nil`: a worker may be of another version than the supervisor during an update.
public enum MessageCoding {
    /// To be raised when a message or a launch argument changes its meaning: programs of different ones are not started
    /// together (``WorkerCheck``).
    public static let version = 1
    /// Bytes of a text in a message at most.
    public static let limitTextBytes = 1024

    private enum Kind: UInt8 {
        case drain = 1
        case stop = 2
        case logLevel = 3
        case retire = 4
        case takeLane = 5
        case lane = 6
        case laneGone = 7
        case adopt = 8
        case accepting = 9
        case ready = 65
        case standby = 67
        case adopted = 68
        case acceptingNow = 69
    }

    public static func encode(_ message: SupervisorMessage) -> [UInt8] {
        switch message {
        case .drain(let deadline): [Kind.drain.rawValue] + word(deadline)
        case .retire(let deadline): [Kind.retire.rawValue] + word(deadline)
        case .stop: [Kind.stop.rawValue]
        case .logLevel(let level): [Kind.logLevel.rawValue] + text(level)
        case .takeLane: [Kind.takeLane.rawValue]
        case .lane(let index): [Kind.lane.rawValue, UInt8(index)]
        case .laneGone(let index): [Kind.laneGone.rawValue, UInt8(index)]
        case .adopt(let index): [Kind.adopt.rawValue, UInt8(index)]
        case .accepting(let isAccepting): [Kind.accepting.rawValue, isAccepting ? 1 : 0]
        }
    }

    public static func encode(_ message: WorkerMessage) -> [UInt8] {
        switch message {
        case .ready: [Kind.ready.rawValue]
        case .standby: [Kind.standby.rawValue]
        case .adopted(let index): [Kind.adopted.rawValue, UInt8(index)]
        case .accepting(let isAccepting): [Kind.acceptingNow.rawValue, isAccepting ? 1 : 0]
        }
    }

    public static func decodeSupervisorMessage(_ bytes: [UInt8]) -> SupervisorMessage? {
        switch bytes.first.flatMap(Kind.init) {
        case .drain: return word(in: bytes).map(SupervisorMessage.drain)
        case .retire: return word(in: bytes).map(SupervisorMessage.retire)
        case .stop: return bytes.count == 1 ? .stop : nil
        case .logLevel: return text(in: bytes).map(SupervisorMessage.logLevel)
        case .takeLane: return bytes.count == 1 ? .takeLane : nil
        case .lane: return index(in: bytes).map(SupervisorMessage.lane)
        case .laneGone: return index(in: bytes).map(SupervisorMessage.laneGone)
        case .adopt: return index(in: bytes).map(SupervisorMessage.adopt)
        case .accepting: return flag(in: bytes).map(SupervisorMessage.accepting)
        case .ready, .standby, .adopted, .acceptingNow, nil: return nil
        }
    }

    public static func decodeWorkerMessage(_ bytes: [UInt8]) -> WorkerMessage? {
        switch bytes.first.flatMap(Kind.init) {
        case .ready: bytes.count == 1 ? .ready : nil
        case .standby: bytes.count == 1 ? .standby : nil
        case .adopted: index(in: bytes).map(WorkerMessage.adopted)
        case .acceptingNow: flag(in: bytes).map(WorkerMessage.accepting)
        case .drain, .retire, .stop, .logLevel, .takeLane, .lane, .laneGone, .adopt, .accepting, nil: nil
        }
    }

    private static func word(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static func word(in bytes: [UInt8]) -> UInt64? {
        guard bytes.count == 9 else { return nil }
        return bytes.dropFirst().reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func index(in bytes: [UInt8]) -> Int? {
        guard bytes.count == 2, Int(bytes[1]) < WorkerLaunch.limitWorkers else { return nil }
        return Int(bytes[1])
    }

    private static func flag(in bytes: [UInt8]) -> Bool? {
        guard bytes.count == 2, bytes[1] <= 1 else { return nil }
        return bytes[1] == 1
    }

    /// A cut in the middle of a character is repaired by the reader, which decodes leniently.
    private static func text(_ string: String) -> [UInt8] {
        Array(string.utf8.prefix(limitTextBytes))
    }

    private static func text(in bytes: [UInt8]) -> String? {
        guard bytes.count <= 1 + limitTextBytes else { return nil }
        return String(decoding: bytes.dropFirst(), as: UTF8.self)
    }
}
