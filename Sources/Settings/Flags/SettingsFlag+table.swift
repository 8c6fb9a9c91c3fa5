// SPDX-License-Identifier: Apache-2.0

/// The table of flags. Each limit has its reason in ``ProxySettings/Limits``.
///
/// Names, meanings and defaults of `grpc-listen-addr` to `heartbeat-interval` are those of the Go proxy: existing deployments
/// pass them. The last four are its flags for logging, which say in other words what `log-level` and `log-format` say.
extension SettingsFlag {
    /// In the order of `--help`.
    public static let allCases: [SettingsFlag] = [
        grpcListenAddress, grpcTLSListenAddress, httpListenAddress,
        heartbeatInterval, agentHeartbeatTimeout, agentCleanupTimeout, maxAgents, maxAgentsPerConnection,
        maxAgentsPerSource, grpcMaxMessageSize, staleGrace, lifecycleInterval,
        grpcTLSCertificateFile, grpcTLSKeyFile, grpcTLSClientAuthorityFile, grpcTLSClientAuth, grpcAgentIdentity,
        grpcAllowFrom,
        webConfigFile, httpTokensFile, httpAllowFrom, healthRequiresAuth, httpReadTimeout, httpWriteTimeout,
        spoolDirectory, spoolMaxSize,
        ingestWorkers, ringMaxSize, stateDirectory, runtimeDirectory,
        sandbox, coreDumps,
        recordInterval, blackBoxDirectory, blackBoxMaxSize, blackBoxMaxAge, blackBoxProfilesMaxSize, blackBoxIncidents,
        logLevel, logFormat, loggingLevel, loggingEnvironment, loggingModules, loggingLevels,
    ]

    // MARK: Where to listen

    public static let grpcListenAddress = SettingsFlag(
        "grpc-listen-addr", in: .listening, takes: "ADDRESS", .optionalAddress(\.grpcListenAddress),
        help:
            "Address that agents connect to (gRPC, HTTP/2 without TLS); none: only to the one with TLS. Default :17912")

    public static let grpcTLSListenAddress = SettingsFlag(
        "grpc-tls-listen-addr", in: .listening, takes: "ADDRESS", .optionalAddress(\.grpcTLSListenAddress),
        help: "Address that agents connect to with TLS, beside the one without or instead of it. Default none")

    public static let httpListenAddress = SettingsFlag(
        "http-listen-addr", in: .listening, takes: "ADDRESS", .address(\.httpListenAddress),
        help: "Address of the HTTP endpoints, for Prometheus and people (HTTP/1.1, TLS with --web-config-file). "
            + "Default :17913")

    // MARK: Agents

    public static let heartbeatInterval = SettingsFlag(
        "heartbeat-interval", in: .agents, takes: "DURATION",
        .duration(\.heartbeatInterval, ProxySettings.Limits.heartbeatInterval, zero: "the agents' own"),
        help: "Interval between heartbeats that agents are told to keep; at least 1s and less than the timeout, 0: the "
            + "agents' own (10s). Default a third of the timeout, at most 10s")

    public static let agentHeartbeatTimeout = SettingsFlag(
        "agent-heartbeat-timeout", in: .agents, takes: "DURATION",
        .duration(\.agentHeartbeatTimeout, ProxySettings.Limits.heartbeatTimeout, zero: "never"),
        help: "Time without a heartbeat after which an agent is unconnected. 2s to 24h, 0: never. Default 30s")

    public static let agentCleanupTimeout = SettingsFlag(
        "agent-cleanup-timeout", in: .agents, takes: "DURATION",
        .duration(\.agentCleanupTimeout, ProxySettings.Limits.cleanupTimeout),
        help: "Time without a heartbeat after which an agent is removed; longer than the heartbeat timeout. Default 5m")

    public static let maxAgents = SettingsFlag(
        "max-agents", in: .agents, takes: "NUMBER", .count(\.maxAgents, ProxySettings.Limits.agents),
        help: "Maximum number of registered agents. 1 to 50000, default 1000")

    public static let maxAgentsPerConnection = SettingsFlag(
        "max-agents-per-connection", in: .agents, takes: "NUMBER",
        .count(\.maxAgentsPerConnection, ProxySettings.Limits.agentsPerConnection),
        help: "Maximum number of agents on one connection; a service mesh can share one between agents. 0 no limit, "
            + "default 256")

    public static let maxAgentsPerSource = SettingsFlag(
        "max-agents-per-source", in: .agents, takes: "NUMBER",
        .count(\.maxAgentsPerSource, ProxySettings.Limits.agentsPerSource),
        help: "Maximum number of agents online from one network address. 0 no limit; default half of --max-agents, and "
            + "no limit for the loopback address")

    public static let grpcMaxMessageSize = SettingsFlag(
        "grpc-max-msg-size", in: .agents, takes: "SIZE",
        .bytes(\.grpcMaxMessageBytes, ProxySettings.Limits.grpcMessageBytes, text: { String($0) }),
        help: "Maximum size of a gRPC message. 1KiB to 256MiB, default 33554432 (32MiB)")

    public static let staleGrace = SettingsFlag(
        "stale-grace", in: .agents, takes: "DURATION", .duration(\.staleGrace, ProxySettings.Limits.staleGrace),
        help: "Time that last-known values are served after an agent's worker, the exporter or a stream was lost. "
            + "0 never, at most 5m, default 15s")

    public static let lifecycleInterval = SettingsFlag(
        "lifecycle-interval", in: .agents, takes: "DURATION",
        .duration(\.lifecycleInterval, ProxySettings.Limits.lifecycleInterval),
        help: "Interval between collections of lifecycle reports, which keep the gauge of schema consistency current. "
            + "0 never, at most 24h, default 5m")

    // MARK: Agents' access

    public static let grpcTLSCertificateFile = SettingsFlag(
        "grpc-tls-cert-file", in: .agentAccess, takes: "PATH", .folder(\.grpcTLSCertificateFile),
        help:
            "Certificate of the agents' TLS listener in PEM, with those that lead to its authority. Read anew when it "
            + "changes, like the two files below. Default none")

    public static let grpcTLSKeyFile = SettingsFlag(
        "grpc-tls-key-file", in: .agentAccess, takes: "PATH", .folder(\.grpcTLSKeyFile),
        help: "Its private key in PEM, without a passphrase. Default none")

    public static let grpcTLSClientAuthorityFile = SettingsFlag(
        "grpc-tls-client-ca-file", in: .agentAccess, takes: "PATH", .folder(\.grpcTLSClientAuthorityFile),
        help: "Authorities (PEM) that sign agents' certificates; no others are trusted. Default none")

    public static let grpcTLSClientAuth = SettingsFlag(
        "grpc-tls-client-auth", in: .agentAccess, takes: "MODE", .oneOf(\.grpcTLSClientAuth),
        help: "Certificates of agents (mTLS): require (no connection without one), optional (one that is presented is "
            + "verified) or none (not asked for). Default none")

    public static let grpcAgentIdentity = SettingsFlag(
        "grpc-agent-identity", in: .agentAccess, takes: "PATTERN", .identityPattern(\.grpcAgentIdentity),
        help: "Name that a certificate must have for the pod it registers, such as "
            + "spiffe://cluster.local/ns/*/sa/banyandb or dns:{pod_name}.banyandb-headless.*. Default none: any that is "
            + "verified")

    public static let grpcAllowFrom = SettingsFlag(
        "grpc-allow-from", in: .agentAccess, takes: "LIST", isList: true, .networks(\.grpcAllowFrom),
        help: "Networks that agents' connections may come from, with commas, such as 10.0.0.0/8,fd00::/8. Default "
            + "anywhere")

    // MARK: HTTP

    public static let webConfigFile = SettingsFlag(
        "web-config-file", in: .http, takes: "PATH", .folder(\.webConfigFile),
        help: "TLS, users (basic authentication), header fields and a rate limit, in the format of Prometheus' "
            + "exporter-toolkit; promtool check web-config looks at it. Read anew when it or a certificate changes. "
            + "Default none: plain HTTP for everybody")

    public static let httpTokensFile = SettingsFlag(
        "http-tokens-file", in: .http, takes: "PATH", .folder(\.httpTokensFile),
        help: "Bearer tokens and what each may ask for, as fodc-proxy ctl new-token prints them. Read anew when it "
            + "changes. Default none")

    public static let httpAllowFrom = SettingsFlag(
        "http-allow-from", in: .http, takes: "LIST", isList: true, .networks(\.httpAllowFrom),
        help: "Networks that HTTP connections may come from, with commas, such as 10.0.0.0/8,127.0.0.1,::1. Default "
            + "anywhere")

    public static let healthRequiresAuth = SettingsFlag(
        "health-requires-auth", in: .http, takes: "BOOL", .bool(\.healthRequiresAuth),
        help: "true: where credentials are needed, /health tells nothing without them either; false: it tells the "
            + "status alone, for probes. Default false")

    public static let httpReadTimeout = SettingsFlag(
        "http-read-timeout", in: .http, takes: "DURATION",
        .duration(\.httpReadTimeout, ProxySettings.Limits.httpTimeout, zero: "no limit"),
        help: "Maximum time to read one request. 0: no limit. Default 10s")

    public static let httpWriteTimeout = SettingsFlag(
        "http-write-timeout", in: .http, takes: "DURATION",
        .duration(\.httpWriteTimeout, ProxySettings.Limits.httpTimeout, zero: "no limit"),
        help: "Maximum time without progress in writing a response. 0: no limit. Default 10s")

    public static let spoolDirectory = SettingsFlag(
        "spool-dir", in: .http, takes: "PATH", folderVariables: ["CACHE_DIRECTORY", "TMPDIR"],
        .folder(\.spoolDirectory),
        help: "Folder for parts of profiles that slow clients have not read yet. Default $CACHE_DIRECTORY, else "
            + "$TMPDIR, else /tmp")

    public static let spoolMaxSize = SettingsFlag(
        "spool-max-size", in: .http, takes: "SIZE", .bytes(\.spoolMaxBytes, ProxySettings.Limits.spoolBytes),
        help: "Maximum size of all files there; downloads beyond it get 503. 1MiB to 1024GiB, default 1GiB")

    // MARK: Processes and memory

    public static let ingestWorkers = SettingsFlag(
        "ingest-workers", in: .processes, takes: "NUMBER",
        .count(\.ingestWorkers, ProxySettings.Limits.ingestWorkers),
        help: "Number of processes that serve agents. 1 to 64, default: the CPUs of this service, rounded up, at most 4"
    )

    public static let ringMaxSize = SettingsFlag(
        "ring-max-size", in: .processes, takes: "SIZE", .bytes(\.ringMaxBytes, ProxySettings.Limits.ringBytes),
        help: "Maximum size of an ingest worker's data ring, which starts at 16MiB. 80MiB to 8GiB, at least 2.5 times "
            + "--grpc-max-msg-size; default: the smaller of 2GiB and a quarter of the memory limit divided by the "
            + "workers, but never less than that")

    // The lock, the control socket and the secret behind the ids of agents are in these two.

    public static let stateDirectory = SettingsFlag(
        "state-dir", in: .processes, takes: "PATH", folderVariables: ["STATE_DIRECTORY"], isReloadable: false,
        .folder(\.stateDirectory),
        help: "Folder for the secret that agent IDs are derived from, so that they survive a restart. Default "
            + "$STATE_DIRECTORY, else none")

    public static let runtimeDirectory = SettingsFlag(
        "runtime-dir", in: .processes, takes: "PATH", folderVariables: ["RUNTIME_DIRECTORY"], isReloadable: false,
        .folder(\.runtimeDirectory),
        help: "Folder for the lock and the control socket. Default $RUNTIME_DIRECTORY, else none")

    // MARK: Sandbox

    public static let sandbox = SettingsFlag(
        "sandbox", in: .sandbox, takes: "MODE", .oneOf(\.sandbox),
        help: "Behaviour where the kernel or the container lacks a part of the processes' sandbox: required (do not "
            + "start), best-effort (go on, and say so), off (no sandbox at all). Default best-effort")

    public static let coreDumps = SettingsFlag(
        "core-dumps", in: .sandbox, takes: "on|off", .oneOf(\.coreDumps),
        help: "Whether a process that dies of a fault may leave a core, which holds secrets, and may be looked into by "
            + "others of its user. Default off")

    // MARK: Black box

    public static let recordInterval = SettingsFlag(
        "record-interval", in: .blackBox, takes: "DURATION",
        .duration(\.recordInterval, ProxySettings.Limits.recordInterval, zero: "no recorder"),
        help: "How often a node's metrics are recorded, so that its last minutes are there when it is gone. 1s to 1h; "
            + "0: no recorder. Default 10s")

    public static let blackBoxDirectory = SettingsFlag(
        "black-box-dir", in: .blackBox, takes: "PATH", .folder(\.blackBoxDirectory),
        help: "Folder of the database, black-box.db. Default: that of --state-dir, else $CACHE_DIRECTORY, else none: "
            + "then nothing is recorded")

    public static let blackBoxMaxSize = SettingsFlag(
        "black-box-max-size", in: .blackBox, takes: "SIZE",
        .bytes(\.blackBoxMaxBytes, ProxySettings.Limits.blackBoxBytes),
        help: "Maximum size of the database; the oldest samples are deleted first. 16MiB to 1024GiB, default 1GiB")

    public static let blackBoxMaxAge = SettingsFlag(
        "black-box-max-age", in: .blackBox, takes: "DURATION",
        .duration(\.blackBoxMaxAge, ProxySettings.Limits.blackBoxAge),
        help: "How long samples are kept that no incident needs. 1h to 87840h, default 168h (7 days)")

    public static let blackBoxProfilesMaxSize = SettingsFlag(
        "black-box-profiles-max-size", in: .blackBox, takes: "SIZE",
        .bytes(\.blackBoxProfilesMaxBytes, ProxySettings.Limits.blackBoxBytes),
        help: "Maximum size of stored profiles in it; the newest of each node and type stay longest. 16MiB to 1024GiB, "
            + "default 512MiB")

    public static let blackBoxIncidents = SettingsFlag(
        "black-box-incidents", in: .blackBox, takes: "NUMBER",
        .count(\.blackBoxIncidents, ProxySettings.Limits.blackBoxIncidents),
        help: "Incidents that are kept, the newest; each keeps the samples around it. 1 to 100000, default 1000")

    // MARK: Log

    public static let logLevel = SettingsFlag(
        "log-level", in: .log, takes: "LEVEL", .oneOf(\.logLevel),
        help: "Minimum severity to log: trace, debug, info, warning, error. Default info")

    public static let logFormat = SettingsFlag(
        "log-format", in: .log, takes: "FORMAT", .oneOf(\.logFormat),
        help: "Format of log lines: text or json. Default text")

    public static let loggingLevel = SettingsFlag(
        "logging-level", in: .log, takes: "LEVEL",
        SettingsField(otherWords: { (given, settings) throws(SettingsError) in
            settings.logLevel = try given.upstreamLevel()
        }),
        help: "The Go proxy's name for --log-level (also takes warn, fatal, panic, disabled). Default info")

    public static let loggingEnvironment = SettingsFlag(
        "logging-env", in: .log, takes: "NAME",
        SettingsField(otherWords: { given, settings in settings.logFormat = given.upstreamFormat }),
        help: "The Go proxy's name for --log-format: dev is text, prod is JSON. Default dev")

    public static let loggingModules = SettingsFlag(
        "logging-modules", in: .log, takes: "LIST", isList: true, SettingsField(otherWords: { _, _ in }),
        help:
            "Comma-separated modules whose levels are in --logging-levels. This program's module is fodc-proxy; others "
            + "are ignored. Default none")

    public static let loggingLevels = SettingsFlag(
        "logging-levels", in: .log, takes: "LIST", isList: true,
        SettingsField(otherWords: { (given, _) throws(SettingsError) in _ = try given.upstreamLevels() }),
        help: "Comma-separated levels, one for each of --logging-modules. Default none")
}
