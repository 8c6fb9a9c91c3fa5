// SPDX-License-Identifier: Apache-2.0
import BlackBox
import FODCProtocol
import Platform
import RingMessages
import SwiftProtobuf

/// Parsers for the fields that the recorder reads from agents' messages. A malformed message gives `nil`, because
/// agents are untrusted.
enum RecordedMessages {
    typealias Topology = Banyandb_Fodc_V1_StreamClusterTopologyRequest
    typealias Lifecycle = Banyandb_Fodc_V1_StreamLifecycleRequest
    typealias Configuration = Fodc_Proxy_V1_NodeConfiguration

    /// Whether two answers of a stream say the same, whenever they were made and in whatever order maps were written.
    static func isSame(_ stream: AgentStream, _ before: [UInt8], _ now: [UInt8]) -> Bool {
        switch stream {
        case .topology: isSame(Topology.self, before, now) { $0.clearTimestamp() }
        case .lifecycle: isSame(Lifecycle.self, before, now) { $0.clearTimestamp() }
        case .configuration: isSame(Configuration.self, before, now) { $0.clearCollectedAt() }
        default: false
        }
    }

    private static func isSame<M: Message & Equatable>(
        _ type: M.Type, _ before: [UInt8], _ now: [UInt8], _ clearTime: (inout M) -> Void
    ) -> Bool {
        guard var one = parse(type, before), var other = parse(type, now) else { return false }
        clearTime(&one)
        clearTime(&other)
        return one == other
    }

    private static func parse<M: Message>(_ type: M.Type, _ bytes: [UInt8]) -> M? {
        try? LenientMessage.parse(type, bytes.span.bytes).message
    }

    /// When a crash happened, and its words.
    static func crash(_ bytes: [UInt8]) -> (occurredAtNanoseconds: Int64?, cause: String)? {
        guard let message = parse(Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest.self, bytes) else { return nil }
        let record = message.panicRecord
        let words = [record.component, record.panicValue].filter { !$0.isEmpty }.joined(separator: ": ")
        return (
            record.hasOccurredAt ? nanoseconds(record.occurredAt) : nil,
            cut(words.isEmpty ? "crash record \(message.artifactDir)" : words)
        )
    }

    /// The profiles that a list names, and the words for each capture.
    static func profiles(_ list: [UInt8]) -> [(profile: ListedProfile, cause: String)] {
        var found: [(profile: ListedProfile, cause: String)] = []
        _ = MessageList.forEach(in: list.span.bytes) { bytes in
            let message = [UInt8](copying: bytes)
            guard found.count < limitListedProfiles,
                let record = parse(Banyandb_Fodc_V1_StreamPressureProfilesRequest.self, message)?.record,
                !record.profileID.isEmpty
            else { return }
            for profile in record.profiles {
                let listed = ListedProfile(
                    profileID: record.profileID, type: profile.type,
                    capturedAtNanoseconds: record.hasCapturedAt ? nanoseconds(record.capturedAt) : 0, record: message)
                let cause =
                    "memory \(record.rssBytes) of \(record.cgroupLimitBytes) bytes, threshold \(record.thresholdBytes)"
                found.append((listed, cause))
            }
        }
        return found
    }

    /// An agent keeps a few captures; a list of more profiles than these is cut.
    private static let limitListedProfiles = 256

    /// The pods that a pod calls or is called by, as a topology says.
    static func neighbours(of podName: String, in topology: [UInt8]) -> [String] {
        guard let message = parse(Topology.self, topology) else { return [] }
        var pods: [String: String] = [:]
        for node in message.topology.nodes {
            if let pod = node.labels["pod_name"] { pods[node.metadata.name] = pod }
        }
        var found: Set<String> = []
        for call in message.topology.calls where found.count < limitNeighbours {
            if pods[call.source] == podName, let other = pods[call.target] { found.insert(other) }
            if pods[call.target] == podName, let other = pods[call.source] { found.insert(other) }
        }
        found.remove(podName)
        return found.sorted()
    }

    /// Samples of so many nodes are kept with an incident: a liaison talks to all data nodes.
    private static let limitNeighbours = 64

    private static func nanoseconds(_ time: Google_Protobuf_Timestamp) -> Int64 {
        let (scaled, isOver) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isSumOver) = scaled.addingReportingOverflow(Int64(time.nanos))
        return isOver || isSumOver ? (time.seconds < 0 ? .min : .max) : sum
    }

    /// Causes are shown in lists: a line of them at most.
    private static func cut(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.count <= limitCauseCharacters ? line : line.prefix(limitCauseCharacters) + "…"
    }

    private static let limitCauseCharacters = 200
}
