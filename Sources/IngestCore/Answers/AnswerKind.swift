// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import SwiftProtobuf

/// What is particular to one of the streams that are asked by an ``AskCommand``.
enum AnswerKind {
    /// Small messages are parsed where they arrive; the generated code takes some 10 ns a byte, so that larger ones would
    /// keep the loop from its other work.
    private static let parsedInPlaceBytes = 256 * 1024
    /// A chunk of a profile is one field of a megabyte, which costs a copy.
    private static let chunkParsedInPlaceBytes = 2 * 1024 * 1024

    static func parsedInPlaceBytes(_ stream: AgentStream) -> Int {
        stream == .pressureProfiles ? chunkParsedInPlaceBytes : parsedInPlaceBytes
    }

    /// Whether a message is a whole answer whose field 1 is the time at which it was made.
    static func isTimestamped(_ stream: AgentStream) -> Bool { stream == .topology || stream == .lifecycle }

    /// Whether every message is an answer of its own.
    static func isOneMessage(_ stream: AgentStream) -> Bool { isTimestamped(stream) || stream == .configuration }

    /// How long an answer is waited for. A collection of topology or of lists takes 10 s at most, so whoever has owed one
    /// for that long has cost one collection its time and shall not cost the next. Lifecycle takes an agent up to 80 s,
    /// and fails without a word.
    static func patience(_ stream: AgentStream) -> RequestLedger.Patience {
        stream == .lifecycle
            ? .init(hungAfter: 90_000_000_000, lostAfter: 90_000_000_000)
            : .init(hungAfter: 10_000_000_000, lostAfter: 30_000_000_000)
    }

    /// Diagnostics have no end mark: who waits is answered this long after the last request or record…
    static let quietNanoseconds: UInt64 = 250_000_000
    /// …and no later than this after the request.
    static let longestQuietNanoseconds: UInt64 = 2_000_000_000

    /// The message that asks, once for every agent; lists have an id of their own in it.
    static func request(_ stream: AgentStream) -> [UInt8] {
        switch stream {
        case .topology: bytes(Banyandb_Fodc_V1_StreamClusterTopologyResponse.with { $0.requestTopology = true })
        case .lifecycle: bytes(Banyandb_Fodc_V1_StreamLifecycleResponse.with { $0.requestLifecycle = true })
        case .crashDiagnostics:
            bytes(Banyandb_Fodc_V1_StreamCrashDiagnosticsResponse.with { $0.requestDiagnostics = true })
        case .schemaRegistry: bytes(Banyandb_Fodc_V1_StreamSchemaRegistryResponse.with { $0.requestRegistry = true })
        case .configuration: bytes(Fodc_Proxy_V1_NodeConfigurationRequest())
        case .pressureProfiles, .registration, .metrics:
            preconditionFailure("\(stream) is not asked in the same words each time")
        }
    }

    static func listRequest(id: String) -> [UInt8] {
        bytes(Banyandb_Fodc_V1_StreamPressureProfilesResponse.with { $0.listProfiles.requestID = id })
    }

    static func fetchRequest(id: String, _ command: FetchCommand) -> [UInt8] {
        bytes(
            Banyandb_Fodc_V1_StreamPressureProfilesResponse.with {
                $0.fetchProfile.requestID = id
                $0.fetchProfile.profileID = command.profileID
                $0.fetchProfile.type = command.type
                $0.fetchProfile.filepath = command.filepath
            })
    }

    private static func bytes(_ message: some Message) -> [UInt8] {
        guard let bytes: [UInt8] = try? message.serializedBytes() else {
            preconditionFailure("a proto3 message always serializes: it has no required fields")
        }
        return bytes
    }
}
