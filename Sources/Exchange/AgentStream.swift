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
    /// An extension of ours: docs/extensions.md.
    case configuration = 7

    public var bit: UInt32 { 1 << rawValue }

    /// The method that opens it.
    public var method: String {
        switch self {
        case .registration: "RegisterAgent"
        case .metrics: "StreamMetrics"
        case .topology: "StreamClusterTopology"
        case .lifecycle: "StreamLifecycle"
        case .crashDiagnostics: "StreamCrashDiagnostics"
        case .pressureProfiles: "StreamPressureProfiles"
        case .schemaRegistry: "StreamSchemaRegistry"
        case .configuration: "StreamConfiguration"
        }
    }

    /// The `:path` of a call, RFC 9113 section 8.3.1.
    public var path: String {
        let service =
            self == .configuration ? "fodc.proxy.v1.NodeConfigurationService" : "banyandb.fodc.v1.FODCService"
        return "/\(service)/\(method)"
    }

    /// As people read it: in `/cluster` and as the value of a metric's label.
    public var name: String {
        switch self {
        case .registration: "registration"
        case .metrics: "metrics"
        case .topology: "topology"
        case .lifecycle: "lifecycle"
        case .crashDiagnostics: "diagnostics"
        case .pressureProfiles: "pressure_profiles"
        case .schemaRegistry: "schema_registry"
        case .configuration: "configuration"
        }
    }

    /// Those that are asked by an ``AskCommand``, in the order of their bits.
    public static let asked: [AgentStream] = [
        .topology, .lifecycle, .crashDiagnostics, .pressureProfiles, .schemaRegistry, .configuration,
    ]
}
