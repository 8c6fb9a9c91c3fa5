// SPDX-License-Identifier: Apache-2.0
import Exchange
import FODCProtocol
import SwiftProtobuf

/// What a worker has to know of a message that it passes on as it came. That it could be made shows that the whole message
/// can be parsed.
struct ParsedMessage: Sendable {
    enum Content: Sendable {
        /// The whole answer to a request.
        case answer
        /// A crash record, one for each folder of an agent. One that does not say when it occurred has the time at which it
        /// was fetched.
        case crashRecord(CrashRecordKey, isTimeFetched: Bool)
        case profileRecord
        case profileListEnd(requestID: String)
        case profileChunk(Banyandb_Fodc_V1_PressureProfileChunk)
        /// A part of the schema registry; `isLast`: with this the request is answered.
        case registryPart(isLast: Bool)
        /// The field that tells one record from the others is missing.
        case withoutKey(isLast: Bool)
    }

    /// Keys of a configuration: many times what a node has. The report compares the nodes' keys one by one.
    static let configurationKeys = 10_000
    /// The time at which it was collected is one, too.
    private static let configurationEntries = configurationKeys + 1

    var content: Content
    /// The message with its text mended, if some of it was not UTF-8.
    var repaired: [UInt8]?

    init(_ bytes: RawSpan, of stream: AgentStream) throws {
        switch stream {
        case .topology:
            repaired = try LenientMessage.parse(Banyandb_Fodc_V1_StreamClusterTopologyRequest.self, bytes).repaired
            content = .answer
        case .lifecycle:
            repaired = try LenientMessage.parse(Banyandb_Fodc_V1_StreamLifecycleRequest.self, bytes).repaired
            content = .answer
        case .configuration:
            repaired = try LenientMessage.parse(
                Fodc_Proxy_V1_NodeConfiguration.self, bytes, limits: MessageLimits(entries: Self.configurationEntries)
            ).repaired
            content = .answer
        case .crashDiagnostics:
            let parsed = try LenientMessage.parse(Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest.self, bytes)
            content = Self.content(of: parsed.message)
            repaired = parsed.repaired
        case .pressureProfiles:
            let parsed = try LenientMessage.parse(Banyandb_Fodc_V1_StreamPressureProfilesRequest.self, bytes)
            content = Self.content(of: parsed.message)
            repaired = parsed.repaired
        case .schemaRegistry:
            let parsed = try LenientMessage.parse(Banyandb_Fodc_V1_StreamSchemaRegistryRequest.self, bytes)
            let (group, isLast) = (parsed.message.group, parsed.message.done)
            let isKeyless = parsed.message.hasGroup && group.group.isEmpty && group.error.isEmpty
            content = isKeyless ? .withoutKey(isLast: isLast) : .registryPart(isLast: isLast)
            repaired = parsed.repaired
        case .registration, .metrics:
            preconditionFailure("\(stream) has a way of its own")
        }
    }

    private static func content(of message: Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest) -> Content {
        guard !message.artifactDir.isEmpty else { return .withoutKey(isLast: false) }
        let hasTime = message.panicRecord.hasOccurredAt
        let time = hasTime ? message.panicRecord.occurredAt : message.fetchedAt
        return .crashRecord(
            CrashRecordKey(subject: Subject.of(message.artifactDir), time: nanoseconds(time)), isTimeFetched: !hasTime)
    }

    private static func content(of message: Banyandb_Fodc_V1_StreamPressureProfilesRequest) -> Content {
        switch message.payload {
        case .record(let record): record.profileID.isEmpty ? .withoutKey(isLast: false) : .profileRecord
        case .listComplete(let end): .profileListEnd(requestID: end.requestID)
        case .chunk(let chunk): .profileChunk(chunk)
        case nil: .withoutKey(isLast: false)
        }
    }

    /// The nearest that Int64 reaches: an agent may send any number of seconds.
    private static func nanoseconds(_ time: Google_Protobuf_Timestamp) -> Int64 {
        let (product, isOver) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !isOver else { return time.seconds < 0 ? .min : .max }
        let (sum, isSumOver) = product.addingReportingOverflow(Int64(time.nanos))
        return isSumOver ? product : sum
    }
}
