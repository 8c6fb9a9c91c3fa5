// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Rings

/// Download a profile from an agent. The number of the record is that of the download; chunks and ending bear it.
public struct FetchCommand: RecordPayload, Equatable, Sendable {
    public static let version: UInt8 = 1

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

    public func encode(into writer: inout BinaryWriter) {
        writer.append(agent)
        writer.append(profileID)
        writer.append(type)
        writer.append(filepath)
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        agent = try reader.agentID()
        profileID = try reader.text()
        type = try reader.text()
        filepath = try reader.text()
    }
}

/// How far a download has come at its reader: what lies between this and what has been sent is in somebody's memory, and
/// ingest lets that be no more than ``windowBytes``. The number of the record is that of the download.
public struct FetchCredit: RecordPayload, Equatable, Sendable {
    public static let version: UInt8 = 1

    /// Bytes that may be on their way from the agent's stream to the client or the spool file, and with it one chunk more: so the
    /// agent has the next chunk on its way while one is being taken, and a download costs little memory.
    public static let windowBytes: UInt64 = 1 << 20

    /// All bytes of the download that have been sent to the client or written to the spool file, since its beginning.
    public var takenBytes: UInt64

    public init(takenBytes: UInt64) {
        self.takenBytes = takenBytes
    }

    public func encode(into writer: inout BinaryWriter) {
        writer.append(takenBytes)
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        takenBytes = try reader.integer()
    }
}

/// How a download ended at ingest. Comes after its last chunk, once.
public struct FetchEnding: RecordPayload, Equatable, Sendable {
    public static let version: UInt8 = 1

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

    public func encode(into writer: inout BinaryWriter) {
        writer.append(cause)
        writer.append(message)
    }

    public init(from reader: inout BinaryReader) throws(BinaryError) {
        cause = try reader.value()
        message = try reader.text()
    }
}
