// SPDX-License-Identifier: Apache-2.0

/// The streams an agent can have open, by the bit they take in `AgentEntry.openStreams`.
public enum AgentStream: UInt32, CaseIterable, Sendable {
    case registration = 0
    case metrics = 1
    case topology = 2
    case lifecycle = 3
    case crashDiagnostics = 4
    case pressureProfiles = 5
    case schemaRegistry = 6

    public var bit: UInt32 { 1 << rawValue }

    /// The method of `banyandb.fodc.v1.FODCService` that opens it.
    public var method: String {
        switch self {
        case .registration: "RegisterAgent"
        case .metrics: "StreamMetrics"
        case .topology: "StreamClusterTopology"
        case .lifecycle: "StreamLifecycle"
        case .crashDiagnostics: "StreamCrashDiagnostics"
        case .pressureProfiles: "StreamPressureProfiles"
        case .schemaRegistry: "StreamSchemaRegistry"
        }
    }

    /// The `:path` of a call, RFC 9113 section 8.3.1.
    public var path: String { "/banyandb.fodc.v1.FODCService/\(method)" }
}
