// SPDX-License-Identifier: Apache-2.0
import Rings

/// A stream that an agent can have open, as far as both workers know it. How an ingest worker asks on it and reads its
/// answers is in the stream's `StreamDescription`.
///
/// A stream is identified by its number alone, which the agent table and the records' headers bear.
public struct AgentStream: RawRepresentable, Sendable {
    /// Its bit in `AgentEntry.openStreams`, and its place among the counters: 0 to 15.
    public let rawValue: UInt32
    /// The method that opens it.
    public let method: String
    /// The service of the method.
    public let service: String
    /// As people read it: in `/cluster` and as the value of a metric's label.
    public let name: String
    /// The type of record that brings what the stream answers; `nil`: it is not asked by an ``AskCommand``.
    public let record: RecordType?
    /// The name of that record in `fodc-ring dump`.
    public let recordName: String
    /// Whether its newest answer is kept in the ring. Others answer one request, and bear its generation and number.
    public let isKept: Bool

    /// - Parameter recordName: the stream's own name if it is not given.
    public init(
        _ number: UInt32, _ method: String, of service: String = Self.upstreamService, name: String,
        record: RecordType? = nil, recordName: String? = nil, isKept: Bool = true
    ) {
        precondition(number < Self.limit, "there are bits and counters for \(Self.limit) streams")
        rawValue = number
        self.method = method
        self.service = service
        self.name = name
        self.record = record
        self.recordName = recordName ?? name
        self.isKept = isKept
    }

    /// The stream of this number, if there is one.
    public init?(rawValue: UInt32) {
        guard let stream = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = stream
    }

    /// Of the agents' protocol as it is deployed.
    public static let upstreamService = "banyandb.fodc.v1.FODCService"
    /// As many as there are counters for in a ring's header (``StreamCounter``).
    static let limit = 16

    public var bit: UInt32 { 1 << rawValue }

    /// The `:path` of a call, RFC 9113 section 8.3.1.
    public var path: String { "/\(service)/\(method)" }
}

extension AgentStream: Hashable {
    public static func == (first: Self, second: Self) -> Bool { first.rawValue == second.rawValue }

    public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// The table of streams.
extension AgentStream: CaseIterable {
    /// In the order of their numbers.
    public static let allCases: [AgentStream] = [
        registration, metrics, topology, lifecycle, crashDiagnostics, pressureProfiles, schemaRegistry, configuration,
    ]

    public static let registration = AgentStream(0, "RegisterAgent", name: "registration")
    public static let metrics = AgentStream(1, "StreamMetrics", name: "metrics")
    public static let topology = AgentStream(2, "StreamClusterTopology", name: "topology", record: .topology)
    public static let lifecycle = AgentStream(3, "StreamLifecycle", name: "lifecycle", record: .lifecycle)
    public static let crashDiagnostics = AgentStream(
        4, "StreamCrashDiagnostics", name: "diagnostics", record: .crashRecord, recordName: "crash-record")
    public static let pressureProfiles = AgentStream(
        5, "StreamPressureProfiles", name: "pressure_profiles", record: .pressureList, recordName: "pressure-list")
    public static let schemaRegistry = AgentStream(
        6, "StreamSchemaRegistry", name: "schema_registry", record: .schemaRegistry, recordName: "schema-registry",
        isKept: false)
    /// An extension of ours: docs/extensions.md.
    public static let configuration = AgentStream(
        7, "StreamConfiguration", of: "fodc.proxy.v1.NodeConfigurationService", name: "configuration",
        record: .configuration)

    /// Those that are asked by an ``AskCommand``, in the order of their numbers.
    public static let asked = allCases.filter { $0.record != nil }
}

/// The messages of the streams travel as they came, once they have parsed; those that take several messages (pressure list,
/// schema registry) are one record, a ``MessageList``. All but the registry are current, and bear in the place of a request's
/// number when they came: wall clock, nanoseconds since the epoch. The registry answers one request, and bears that one's
/// generation and number.
extension RecordType {
    public static let topology = RecordType(rawValue: 6)
    public static let lifecycle = RecordType(rawValue: 7)
    /// The subject tells an agent's records apart: ``SubjectHash/of(_:)`` of the folder.
    public static let crashRecord = RecordType(rawValue: 8)
    public static let pressureList = RecordType(rawValue: 9)
    public static let schemaRegistry = RecordType(rawValue: 10)
    public static let configuration = RecordType(rawValue: 12)

    /// The stream whose answers these records bring.
    public var stream: AgentStream? { AgentStream.asked.first { $0.record == self } }
    /// Types of records that bring an answer which is kept.
    public static let answers = Set(AgentStream.asked.filter(\.isKept).compactMap(\.record))
}
