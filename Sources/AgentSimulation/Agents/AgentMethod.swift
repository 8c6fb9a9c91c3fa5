// SPDX-License-Identifier: Apache-2.0

/// The streams of `banyandb.fodc.v1.FODCService`, in the order in which an agent opens them.
public enum AgentMethod: String, Sendable, CaseIterable {
    case registerAgent = "RegisterAgent"
    case streamMetrics = "StreamMetrics"
    case streamClusterTopology = "StreamClusterTopology"
    case streamLifecycle = "StreamLifecycle"
    case streamSchemaRegistry = "StreamSchemaRegistry"
    case streamCrashDiagnostics = "StreamCrashDiagnostics"
    case streamPressureProfiles = "StreamPressureProfiles"

    var path: String { "/banyandb.fodc.v1.FODCService/\(rawValue)" }
}
