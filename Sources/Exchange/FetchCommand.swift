// SPDX-License-Identifier: Apache-2.0
import Lanes

/// Download a profile from an agent. The number of the record is that of the download; chunks and ending bear it.
public struct FetchCommand: Equatable, Sendable {
    public var agent: AgentID
    public var profileID: String
    /// `heap` or `goroutine`.
    public var type: String
    public var filepath: String

    public init(agent: AgentID, profileID: String, type: String, filepath: String) {
        self.agent = agent
        self.profileID = profileID
        self.type = type
        self.filepath = filepath
    }

    public var payload: [UInt8] {
        var writer = PayloadWriter()
        writer.append(agent)
        writer.append(profileID)
        writer.append(type)
        writer.append(filepath)
        return writer.bytes
    }

    /// `nil` when the payload is not one of ours.
    public init?(payload: RawSpan) {
        var reader = PayloadReader(payload)
        do {
            agent = try reader.agentID()
            profileID = try reader.string()
            type = try reader.string()
            filepath = try reader.string()
        } catch {
            return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}

/// How far a download has come at its reader: what lies between this and what has been sent is in somebody's memory, and
/// ingest lets that be no more than ``windowBytes``. The number of the record is that of the download.
public struct FetchCredit: Equatable, Sendable {
    /// What may be on its way from the agent's stream to the client or the spool file, and with it one chunk more: so the
    /// agent has the next chunk on its way while one is being taken, and a download costs little memory.
    public static let windowBytes: UInt64 = 1 << 20

    /// All bytes of the download that have been sent to the client or written to the spool file, since its beginning.
    public var takenBytes: UInt64

    public init(takenBytes: UInt64) {
        self.takenBytes = takenBytes
    }

    public var payload: [UInt8] {
        var writer = PayloadWriter()
        writer.append(takenBytes)
        return writer.bytes
    }

    public init?(payload: RawSpan) {
        var reader = PayloadReader(payload)
        guard let bytes = try? reader.integer(UInt64.self), reader.isAtEnd else { return nil }
        takenBytes = bytes
    }
}

/// How a download ended at ingest. Comes after its last chunk, once.
public struct FetchEnding: Equatable, Sendable {
    public enum Cause: UInt8, Sendable {
        /// All chunks have been handed over.
        case complete = 0
        /// The agent has said that it cannot; the text is its own.
        case agentError = 1
        /// The agent's stream or the agent itself went away.
        case agentGone = 2
        /// The agent has sent no chunk for too long.
        case silent = 3
        /// Nothing was taken for too long: neither the client nor the spool file.
        case notTaken = 4
        /// As many downloads wait for this agent as may.
        case busy = 5
        /// No such agent is here, or it has no such stream.
        case unknownAgent = 6
        /// The worker drains.
        case draining = 7
    }

    public var cause: Cause
    /// For people; empty when complete.
    public var message: String

    public init(_ cause: Cause, message: String = "") {
        self.cause = cause
        self.message = message
    }

    public var payload: [UInt8] {
        var writer = PayloadWriter()
        writer.append(cause.rawValue)
        writer.append(message)
        return writer.bytes
    }

    public init?(payload: RawSpan) {
        var reader = PayloadReader(payload)
        do {
            guard let cause = Cause(rawValue: try reader.integer()) else { return nil }
            self.cause = cause
            message = try reader.string()
        } catch {
            return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}
