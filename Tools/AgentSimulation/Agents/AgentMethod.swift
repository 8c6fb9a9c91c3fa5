// SPDX-License-Identifier: Apache-2.0

/// The streams of an agent, in the order in which it opens them: those of `banyandb.fodc.v1.FODCService`, then the one of
/// the proxy's extension.
public enum AgentMethod: String, Sendable, CaseIterable {
    case registerAgent = "RegisterAgent"
    case streamMetrics = "StreamMetrics"
    case streamClusterTopology = "StreamClusterTopology"
    case streamLifecycle = "StreamLifecycle"
    case streamSchemaRegistry = "StreamSchemaRegistry"
    case streamCrashDiagnostics = "StreamCrashDiagnostics"
    case streamPressureProfiles = "StreamPressureProfiles"
    case streamConfiguration = "StreamConfiguration"

    var path: String {
        self == .streamConfiguration
            ? "/fodc.proxy.v1.NodeConfigurationService/\(rawValue)" : "/banyandb.fodc.v1.FODCService/\(rawValue)"
    }

    /// As flags and reports name it.
    public var shortName: String {
        switch self {
        case .registerAgent: "registration"
        case .streamMetrics: "metrics"
        case .streamClusterTopology: "topology"
        case .streamLifecycle: "lifecycle"
        case .streamSchemaRegistry: "registry"
        case .streamCrashDiagnostics: "diagnostics"
        case .streamPressureProfiles: "profiles"
        case .streamConfiguration: "configuration"
        }
    }

    /// Streams on which the proxy asks and an agent can be silent.
    public static let askable = allCases.filter { $0 != .registerAgent }
}
