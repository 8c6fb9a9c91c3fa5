// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Settings

struct ListeningFlags: ParsableArguments {
    @Option(.grpcListenAddress, "ADDRESS", "Where agents connect (gRPC, HTTP/2 without TLS). Default :17912")
    var grpc: String?

    @Option(.httpListenAddress, "ADDRESS", "Where Prometheus and people ask (HTTP/1.1). Default :17913")
    var http: String?
}

struct AgentFlags: ParsableArguments {
    @Option(
        .heartbeatInterval, "DURATION",
        "How often agents are told to send heartbeats; at least 1s and less than the timeout, 0: as they like (10s). "
            + "Default a third of the timeout, at most 10s"
    )
    var heartbeatInterval: String?

    @Option(
        .agentHeartbeatTimeout, "DURATION",
        "An agent without a heartbeat for so long is unconnected. 2s to 24h, 0: never. Default 30s")
    var heartbeatTimeout: String?

    @Option(
        .agentCleanupTimeout, "DURATION",
        "An unconnected agent is listed for so long; longer than the heartbeat timeout. Default 5m")
    var cleanupTimeout: String?

    @Option(.maxAgents, "NUMBER", "Agents that may be listed at a time. 1 to 50000, default 1000")
    var maximum: String?

    @Option(
        .maxAgentsPerConnection, "NUMBER",
        "Agents that one connection may register; agents have one each, a service mesh brings several on one. 0 no limit, "
            + "default 256")
    var maximumPerConnection: String?

    @Option(
        .maxAgentsPerSource, "NUMBER",
        "Agents that may be online from one network address. 0 no limit; default half of --max-agents, and no limit for "
            + "the loopback address")
    var maximumPerSource: String?

    @Option(.grpcMaxMessageSize, "SIZE", "The largest gRPC message. 1KiB to 256MiB, default 33554432 (32MiB)")
    var maxMessageSize: String?

    @Option(
        .staleGrace, "DURATION",
        "How long last-known values are served after an agent's worker, the exporter or a stream was lost. "
            + "0 never, at most 5m, default 15s"
    )
    var staleGrace: String?

    @Option(
        .lifecycleInterval, "DURATION",
        "How often lifecycle reports are collected without being asked for, so that the gauge of schema consistency is "
            + "there. 0 never, at most 24h, default 5m"
    )
    var lifecycleInterval: String?
}

struct HTTPFlags: ParsableArguments {
    @Option(
        .httpReadTimeout, "DURATION", "The longest time that reading one request may take. 0: no limit. Default 10s")
    var readTimeout: String?

    @Option(
        .httpWriteTimeout, "DURATION",
        "The longest time without progress in writing an answer. 0: no limit. Default 10s")
    var writeTimeout: String?

    @Option(
        .spoolDirectory, "PATH",
        "Folder for the part of a profile that its client has not taken yet. Default $CACHE_DIRECTORY, else $TMPDIR, else /tmp"
    )
    var spoolDirectory: String?

    @Option(
        .spoolMaxSize, "SIZE",
        "What may lie there, all downloads together; more are refused with 503. 1MiB to 1024GiB, default 1GiB")
    var spoolMaxSize: String?
}

struct ProcessFlags: ParsableArguments {
    @Option(
        .ingestWorkers, "NUMBER",
        "Processes that serve agents. 1 to 64, default: the CPUs that this service may use, rounded up, at most 4")
    var ingestWorkers: String?

    @Option(
        .ringMaxSize, "SIZE",
        "What the memory between an ingest worker and the exporter may grow to; it starts at 16MiB. 80MiB to 8GiB, "
            + "at least 2.5 times --grpc-max-msg-size; default: the smaller of 2GiB and a quarter of the memory limit "
            + "over the workers, but never less than that"
    )
    var ringMaxSize: String?

    @Option(
        .stateDirectory, "PATH",
        "Folder for what survives a restart: the secret behind the ids of agents. Default $STATE_DIRECTORY, else none")
    var stateDirectory: String?

    @Option(
        .runtimeDirectory, "PATH", "Folder for what lives as long as the service. Default $RUNTIME_DIRECTORY, else none"
    )
    var runtimeDirectory: String?
}

struct LogFlags: ParsableArguments {
    @Option(
        .logLevel, "LEVEL", "The least grave messages that are logged: trace, debug, info, warning, error. Default info"
    )
    var level: String?

    @Option(.logFormat, "FORMAT", "How log lines look: text or json. Default text")
    var format: String?

    @Option(
        .loggingLevel, "LEVEL",
        "The same as --log-level, in the words of the Go proxy (warn, fatal, panic, disabled are taken, too). Default info"
    )
    var loggingLevel: String?

    @Option(
        .loggingEnvironment, "NAME",
        "The same as --log-format, in the words of the Go proxy: dev is text, prod is JSON. Default dev")
    var loggingEnvironment: String?

    @Option(
        .loggingModules, "LIST",
        "Modules whose level is in --logging-levels, with commas. Ours, the default of JSON lines, is fodc-proxy; "
            + "others are ignored")
    var loggingModules: [String] = []

    @Option(.loggingLevels, "LIST", "A level for each of --logging-modules, with commas. Default info")
    var loggingLevels: [String] = []
}

extension Option where Value == String? {
    /// An option of the settings: any text is taken here, also one that begins with a dash, so that it is refused with
    /// its name and what is allowed.
    init(_ flag: SettingsFlag, _ valueName: String, _ help: String) {
        self.init(
            name: .customLong(flag.rawValue), parsing: .unconditional,
            help: ArgumentHelp(stringLiteral: help).named(valueName))
    }
}

extension Option where Value == [String] {
    /// The same for one that may come several times.
    init(wrappedValue: [String], _ flag: SettingsFlag, _ valueName: String, _ help: String) {
        self.init(
            wrappedValue: wrappedValue, name: .customLong(flag.rawValue), parsing: .unconditionalSingleValue,
            help: ArgumentHelp(stringLiteral: help).named(valueName))
    }
}

extension ArgumentHelp {
    fileprivate func named(_ valueName: String) -> ArgumentHelp {
        var help = self
        help.valueName = valueName
        return help
    }
}
