// SPDX-License-Identifier: Apache-2.0

/// The flags of the proxy. The raw value is the flag's name without the dashes.
///
/// Names, meanings and defaults of the first nine are those of the Go proxy: existing deployments pass them. The last four
/// are its flags for logging, which say in other words what `--log-level` and `--log-format` say.
public enum SettingsFlag: String, CaseIterable, Sendable {
    case grpcListenAddress = "grpc-listen-addr"
    case httpListenAddress = "http-listen-addr"
    case agentHeartbeatTimeout = "agent-heartbeat-timeout"
    case agentCleanupTimeout = "agent-cleanup-timeout"
    case maxAgents = "max-agents"
    case maxAgentsPerConnection = "max-agents-per-connection"
    case maxAgentsPerSource = "max-agents-per-source"
    case grpcMaxMessageSize = "grpc-max-msg-size"
    case httpReadTimeout = "http-read-timeout"
    case httpWriteTimeout = "http-write-timeout"
    case heartbeatInterval = "heartbeat-interval"
    case ingestWorkers = "ingest-workers"
    case ringMaxSize = "ring-max-size"
    case staleGrace = "stale-grace"
    case lifecycleInterval = "lifecycle-interval"
    case spoolDirectory = "spool-dir"
    case spoolMaxSize = "spool-max-size"
    case stateDirectory = "state-dir"
    case runtimeDirectory = "runtime-dir"
    case logLevel = "log-level"
    case logFormat = "log-format"
    case loggingLevel = "logging-level"
    case loggingEnvironment = "logging-env"
    case loggingModules = "logging-modules"
    case loggingLevels = "logging-levels"

    /// As it is typed: `--max-agents`.
    public var option: String { "--" + rawValue }

    /// The environment variable that gives the same setting: `FODC_MAX_AGENTS`. The flag wins; an empty variable
    /// counts as none.
    public var environmentVariable: String { Self.variablePrefix + variableSuffix }

    /// The variable by which the Go proxy takes it: `BYDB_MAX_AGENTS`. Ours wins.
    public var upstreamVariable: String { Self.upstreamVariablePrefix + variableSuffix }

    public static let variablePrefix = "FODC_"
    public static let upstreamVariablePrefix = "BYDB_"

    private var variableSuffix: String {
        rawValue.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }
}
